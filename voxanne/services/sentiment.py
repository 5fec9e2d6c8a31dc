"""The three labels of a caller's mood, whatever an analyser calls it."""

from typing import Literal

Sentiment = Literal["positive", "neutral", "negative"]

_LABELS: dict[str, Sentiment] = {
    "positive": "positive",
    "reassured": "positive",
    "decisive": "positive",
    "happy": "positive",
    "satisfied": "positive",
    "excited": "positive",
    "neutral": "neutral",
    "calm": "neutral",
    "mixed": "neutral",
    "negative": "negative",
    "anxious": "negative",
    "frustrated": "negative",
    "angry": "negative",
    "worried": "negative",
    "disappointed": "negative",
}


def normalize(label: str | None) -> Sentiment | None:
    """Return the label that is stored for an analyser's own, in any case; an unknown one is neutral, none is None."""
    if label is None or not label.strip():
        return None
    return _LABELS.get(label.strip().lower(), "neutral")
