"""Transcripts and action items as pages read them, whatever is in the lists that were stored."""

import json
from typing import Any

from voxanne.database import Row

_LAST_MILLISECOND = 1e15


def segments(stored: list[Any] | None) -> list[Row]:
    """Return the turns of a conversation in full; a bare sentence is the caller's, what is no turn is left out."""
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
    # Beyond that no date lies, and JSON's encoder refuses numbers that are too large.
    return value if number and 0 <= value <= _LAST_MILLISECOND else 0
