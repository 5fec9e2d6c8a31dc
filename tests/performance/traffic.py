"""An ordinary hour of a clinic: people with the dashboard open, calls coming in, and a change now and then.

Nothing here is measured from production, which there is none of; each number says where it is from. Steps are names
that `replay.py` knows how to take.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

USERS = 3
"""People who have the dashboard's home page open."""

POLLS = {"poll pulse": 10, "poll activity": 10, "poll leads": 30}
"""Seconds between the home page's requests (frontend.md)."""

PAGE_EVERY = 180
"""Seconds between two page views of a person, on the average."""

PAGES = ("calls page", "leads page", "team page", "services page", "agent page", "escalation page")

CALLS_PER_HOUR = 20
CALL_SECONDS = (40, 240)

WRITES = ("change price", "change role", "change mapping", "change assistant")
"""Each once an hour."""


@dataclass(frozen=True, order=True)
class Event:
    """A step of somebody of a clinic, so many seconds into the hour."""

    at: float
    clinic: int
    person: int
    step: str


def hour(clinics: int, minutes: float, seed: int) -> list[Event]:
    """Return all events in order; the same seed gives the same hour."""
    chance = random.Random(seed)
    end = minutes * 60
    events = [event for clinic in range(clinics) for event in _clinic(clinic, end, chance)]
    return sorted(event for event in events if event.at < end)


def _clinic(clinic: int, end: float, chance: random.Random) -> Iterator[Event]:
    for person in range(USERS):
        for step, seconds in POLLS.items():
            begun = chance.uniform(0, seconds)
            yield from (Event(begun + n * seconds, clinic, person, step) for n in range(int(end / seconds) + 1))
        for at in _now_and_then(PAGE_EVERY, end, chance):
            yield Event(at, clinic, person, chance.choice(PAGES))
    for at in _now_and_then(3600 / CALLS_PER_HOUR, end, chance):
        yield from _call(at, clinic, chance)
    for step in WRITES:
        yield Event(chance.uniform(0, 3600), clinic, 0, step)


def _call(at: float, clinic: int, chance: random.Random) -> Iterator[Event]:
    """What the voice provider sends about a call (facts.md): a request, states, words as they fall, a report."""
    seconds = chance.uniform(*CALL_SECONDS)
    yield Event(at, clinic, 0, "call arrives")
    for share in (0.01, 0.02, 0.98):
        yield Event(at + share * seconds, clinic, 0, "call event")
    for _ in range(int(seconds / 20)):
        yield Event(at + chance.uniform(0.02, 0.98) * seconds, clinic, 0, "call event")
    yield Event(at + seconds, clinic, 0, "call report")


def _now_and_then(mean: float, end: float, chance: random.Random) -> Iterator[float]:
    at = chance.expovariate(1 / mean)
    while at < end:
        yield at
        at += chance.expovariate(1 / mean)
