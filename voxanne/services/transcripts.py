"""Transcripts and action items in the shape that pages read, whatever the stored lists hold."""

import json
from typing import Any

from voxanne.database import Row

_LAST_MILLISECOND = 1e15


def segments(stored: list[Any] | None) -> list[Row]:
    """Return the turns of a conversation; a plain string counts as the caller's, anything but objects is left out."""
    turns = [{"text": turn} if isinstance(turn, str) else turn for turn in stored or []]
    return [_segment(turn) for turn in turns if isinstance(turn, dict)]


def sentences(stored: list[Any] | None) -> list[str]:
    """Return the entries of a list as text, without the blank ones."""
    return [text for text in map(_text, stored or []) if text.strip()]


def _segment(turn: Row) -> Row:
    return {
        "speaker": _text(turn.get("speaker")) or "caller",
        "text": _text(turn.get("text")),
        "timestamp": _milliseconds(turn.get("timestamp")),
        "sentiment": _text(turn.get("sentiment")) or "neutral",
    }


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _milliseconds(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Larger numbers are no dates, and the JSON encoder refuses very large ones.
    return value if number and 0 <= value <= _LAST_MILLISECOND else 0
