"""Sentiment analysis: how a caller felt, and how urgent the call is.

An analyser implements `Analyser`. Whatever labels it uses, three are stored, with a score from 0 (unhappy) to 1 and an
urgency.

`WordList` needs no network: it weighs each of the caller's turns by VADER's lexicon, which was made for short informal
texts and knows negations and "very". Words by which callers only say why they call ("pain", "cut"), but which VADER
counts as negative, are removed first. The summary quotes the caller's first wish and last sentence.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Sentiment = Literal["positive", "neutral", "negative"]
Urgency = Literal["High", "Medium", "Low"]

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

_HIGH = (
    "emergency", "urgent", "urgently", "asap", "as soon as possible", "right away", "immediately", "bleeding",
    "infected", "infection", "severe", "swollen", "can't breathe", "allergic reaction", "fever", "unbearable",
    "first available", "today",
)  # fmt: skip
_MEDIUM = (
    "tomorrow", "this week", "soon", "soonest", "book", "appointment", "schedule", "next week", "worried", "hurts",
    "pain",
)  # fmt: skip
_TREATMENT_WORDS = (
    "pain", "painful", "cut", "ugly", "fat", "lost weight", "scar", "scars", "sagging", "surgery", "tired", "cancel",
    "no", "problem", "emergency", "urgent",
)  # fmt: skip
_WISHES = (
    "want", "like to", "need", "interested", "looking", "calling", "wondering", "question", "book", "schedule",
    "cancel", "reschedule",
)  # fmt: skip
_POSITIVE_FROM, _NEGATIVE_TO = 0.2, -0.2
_LONGEST_TURN, _MOST_TURNS, _LONGEST_SENTENCE = 1000, 500, 200


@dataclass(frozen=True)
class Mood:
    """What an analyser says: its label, a score from 0 to 1, urgency, and two sentences."""

    label: str
    score: float
    urgency: Urgency
    summary: str


class Analyser(Protocol):
    """Judges a caller's mood by their turns; must not raise."""

    def analyse(self, said: Sequence[str]) -> Mood: ...  # noqa: D102


class WordList:
    """The analyser that needs no network."""

    def analyse(self, said: Sequence[str]) -> Mood:
        """Return neutral, 0.5 and Low for somebody who said nothing."""
        turns = [turn[:_LONGEST_TURN] for turn in said if turn.strip()][:_MOST_TURNS]
        weights = [weight for weight in map(_weight, turns) if weight]
        mean = sum(weights) / len(weights) if weights else 0.0
        label = "positive" if mean >= _POSITIVE_FROM else "negative" if mean <= _NEGATIVE_TO else "neutral"
        return Mood(label, round((mean + 1) / 2, 3), _urgency(turns), _summary(turns))


def normalize(label: str | None) -> Sentiment | None:
    """Return the label that is stored for an analyser's own, in any case; an unknown one is neutral, none is None."""
    if label is None or not label.strip():
        return None
    return _LABELS.get(label.strip().lower(), "neutral")


def normalize_urgency(word: str | None) -> Urgency | None:
    """Return the urgency that is stored for an analyser's own, in any case; None if it is none of the three."""
    found: dict[str, Urgency] = {"high": "High", "medium": "Medium", "low": "Low"}
    return found.get((word or "").strip().lower())


def _weight(turn: str) -> float:
    return float(_vader().polarity_scores(_words(_TREATMENT_WORDS).sub(" ", turn))["compound"])


def _urgency(turns: Sequence[str]) -> Urgency:
    text = "\n".join(turns)
    if _words(_HIGH).search(text):
        return "High"
    return "Medium" if _words(_MEDIUM).search(text) else "Low"


def _summary(turns: Sequence[str]) -> str:
    sentences = [part.strip() for turn in turns for part in re.split(r"(?<=[.!?])\s", turn) if part.strip()]
    if not sentences:
        return ""
    wish = next((sentence for sentence in sentences if _words(_WISHES).search(sentence)), sentences[0])
    last = sentences[-1] if sentences[-1] is not wish else ""
    quoted = [f"The caller said: {_shorten(wish)}", *([f"At the end: {_shorten(last)}"] if last else [])]
    return " ".join(quoted)


def _shorten(sentence: str) -> str:
    cut = sentence if len(sentence) <= _LONGEST_SENTENCE else sentence[:_LONGEST_SENTENCE].rstrip() + "…"
    return cut if cut[-1] in ".!?…" else f"{cut}."


@functools.cache
def _vader() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


@functools.cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
