"""An ordinary hour of a clinic: people with the dashboard open, calls coming in, and a change now and then.

- Three people have the dashboard open all hour. The home page asks as often as its code says. Every three minutes, on
  the average, each looks at another page for a minute; meanwhile the home page does not ask.
- 20 calls come in: three doctors with 50 calls each in a day of eight hours. A call takes 40 to 240 seconds; half of
  the callers have called before.
- Of a call the provider sends what our assistants tell it to (`services.assistants.SERVER_MESSAGES`), and nothing while
  people just talk; as the number has no assistant at the provider, it asks for one first. That is: the request, the
  states ringing, in progress and ended, the report, in half of the calls one or two questions for free times, and in
  half of those a booking.
- Once an hour somebody changes a price, a role, a number and the assistant, which is more than people do.

Nothing here is measured from production, which there is none of: intervals and messages are those of the code, the rest
is a guess, with calls as options of `replay.py`. Steps are names that `replay.py` knows how to take.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

USERS = 3
"""People who have the dashboard open."""

POLLS = {"poll pulse": 10, "poll activity": 10, "poll leads": 30}
"""Seconds between the home page's requests."""

PAGE_EVERY = 180
PAGE_SECONDS = 60

PAGES = ("calls page", "leads page", "team page", "services page", "agent page", "escalation page")

CALLS_PER_HOUR = 20.0
CALL_SECONDS = (40, 240)
TOOLS_SHARE = BOOKING_SHARE = KNOWN_SHARE = 0.5

CHANGES = ("change price", "change role", "change mapping", "change assistant")
"""Each once an hour."""


@dataclass(frozen=True, order=True)
class Event:
    """A step of somebody of a clinic, so many seconds into the hour; of a call, `person` is its number."""

    at: float
    clinic: int
    person: int
    step: str


def hour(clinics: int, minutes: float, calls: float, seed: int) -> list[Event]:
    """Return all events in order; the same seed gives the same hour. `calls` are those of a clinic in an hour."""
    chance = random.Random(seed)
    end = minutes * 60
    events = [event for clinic in range(clinics) for event in _clinic(clinic, end, calls, chance)]
    return sorted(event for event in events if event.at < end)


def _clinic(clinic: int, end: float, calls: float, chance: random.Random) -> Iterator[Event]:
    for person in range(USERS):
        elsewhere = list(_now_and_then(PAGE_EVERY, end, chance))
        for at in elsewhere:
            yield Event(at, clinic, person, chance.choice(PAGES))
        for step, seconds in POLLS.items():
            at = chance.uniform(0, seconds)
            while at < end:
                if not any(left <= at < left + PAGE_SECONDS for left in elsewhere):
                    yield Event(at, clinic, person, step)
                at += seconds
    for number, at in enumerate(_now_and_then(3600 / calls, end, chance) if calls else ()):
        yield from _call(at, clinic, number, chance)
    for step in CHANGES:
        yield Event(chance.uniform(0, 3600), clinic, 0, step)


def _call(at: float, clinic: int, number: int, chance: random.Random) -> Iterator[Event]:
    seconds = chance.uniform(*CALL_SECONDS)
    known = "known" if chance.random() < KNOWN_SHARE else "new"
    steps = [(0.0, f"call arrives, {known}"), (0.1, "call rings"), (2.0, "call begins")]
    if chance.random() < TOOLS_SHARE:
        asked = [(share * seconds, "call asks") for share in (0.3, 0.5)[: chance.randint(1, 2)]]
        steps += asked
        if chance.random() < BOOKING_SHARE:
            steps.append((0.7 * seconds, "call books"))
    steps += [(seconds, "call ends"), (seconds + 3, "call report")]
    for later, step in steps:
        yield Event(at + later, clinic, number, step)


def _now_and_then(mean: float, end: float, chance: random.Random) -> Iterator[float]:
    at = chance.expovariate(1 / mean)
    while at < end:
        yield at
        at += chance.expovariate(1 / mean)
