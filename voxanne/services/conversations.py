"""Who said what in a call, from the report's messages or else from its transcript's text."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from voxanne.services.stored_text import clean
from voxanne.services.webhooks.envelope import Event

Speaker = Literal["agent", "caller"]

CUT_OFF = "[The rest of the transcript was too long to keep.]"
_MOST_TURNS, _LONGEST_TURN, _LONGEST_CONVERSATION = 2000, 10_000, 200_000
_LONGEST_CALL_MS = 7 * 24 * 3600 * 1000
_SPEAKERS: dict[str, Speaker] = {"assistant": "agent", "user": "caller"}
_LABEL = re.compile(
    r"[ \t]{0,8}(AI|Assistant|Agent|Bot|User|Customer|Caller|Patient)[ \t]{0,8}:[ \t]{0,8}", re.IGNORECASE
)
_OURS = {"ai", "assistant", "agent", "bot"}


class Segment(NamedTuple):
    """What somebody said in one go, and when: milliseconds since 1970, or since the call's start if that is unknown."""

    speaker: Speaker
    text: str
    milliseconds: int


def segments(event: Event) -> list[Segment]:
    """Return the turns of a call, clean and bounded; a last one says so if there were more."""
    turns = _from_messages(event) if event.messages else _from_text(event.transcript)
    start = round(event.started_at.timestamp() * 1000) if event.started_at else 0
    kept: list[Segment] = []
    room = _LONGEST_CONVERSATION
    for speaker, text, milliseconds in turns:
        cleaned = clean(text, _LONGEST_TURN)
        if not cleaned:
            continue
        room -= len(cleaned)
        if room < 0 or len(kept) == _MOST_TURNS:
            return [*kept, Segment("agent", CUT_OFF, kept[-1].milliseconds if kept else start)]
        kept.append(Segment(speaker, cleaned, start + milliseconds))
    return kept


def said_by_caller(conversation: Sequence[Segment]) -> list[str]:
    """Return the caller's turns."""
    return [turn.text for turn in conversation if turn.speaker == "caller"]


def _from_messages(event: Event) -> Iterator[Segment]:
    """Yield the turns with milliseconds since the call's start; one without a time has that of the turn before."""
    latest = 0
    for turn in event.messages:
        if speaker := _SPEAKERS.get(turn.role):
            seconds = turn.seconds
            if seconds is not None and math.isfinite(seconds):
                latest = min(_LONGEST_CALL_MS, max(0, round(seconds * 1000)))
            yield Segment(speaker, turn.text, latest)


def _from_text(transcript: str) -> Iterator[Segment]:
    """Yield the turns of lines such as "AI: Hello"; lines without a label continue the turn, at first the caller's."""
    speaker: Speaker = "caller"
    lines: list[str] = []
    for line in transcript.splitlines():
        label = _LABEL.match(line)
        if label:
            yield Segment(speaker, "\n".join(lines), 0)
            speaker = "agent" if label[1].lower() in _OURS else "caller"
            lines = []
        lines.append(line[label.end() :] if label else line)
    yield Segment(speaker, "\n".join(lines), 0)
