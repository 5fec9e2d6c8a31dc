"""Times, names and lists as the assistant says them."""

from collections.abc import Sequence
from datetime import date, datetime, time

UNKNOWN = "Unknown Caller"


def day(moment: date) -> str:
    """Return a day: "Tuesday, November 24"."""
    return f"{moment:%A}, {moment:%B} {moment.day}"


def clock(moment: datetime | time) -> str:
    """Return a time of the day: "2 PM", "9:30 AM", "noon", "midnight"."""
    if (moment.hour, moment.minute) in {(12, 0), (0, 0)}:
        return "noon" if moment.hour else "midnight"
    minutes = f":{moment.minute:02}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes} {moment:%p}"


def moment(when: datetime) -> str:
    """Return a day and a time: "Tuesday, November 24 at 2 PM"."""
    return f"{day(when)} at {clock(when)}"


def name(stored: str | None) -> str:
    """Return a contact's name, "" for the stand-in of an unknown one."""
    return "" if stored is None or stored == UNKNOWN else stored


def choice(words: Sequence[str], joint: str = "or") -> str:
    """Return words as a choice: "a", "a or b", "a, b or c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}"
