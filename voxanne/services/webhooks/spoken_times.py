"""Dates and times as a language model writes them: "2026-11-24", "next Tuesday", "the 24th", "2 pm", "14:00".

dateutil reads them. What it fills in from a default was not said, which two readings with different defaults tell.
"""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil import parser
from dateutil.relativedelta import relativedelta

_RELATIVE = {"today": 0, "tonight": 0, "tomorrow": 1, "the day after tomorrow": 2, "day after tomorrow": 2}
_CLOCK = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}
_FILLERS = re.compile(r"\b(?:the|on|at|around|about|coming|this|next|o'?clock|hours?)\b", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d\d?-\d\d?")
_WEEKDAY = re.compile(r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b", re.IGNORECASE)
_WHOLE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d?:\d\d")
# Its year, month and day differ from those of every day within a year.
_FAR = relativedelta(years=2, months=5, days=11)
_LONGEST = 60


def read_day(text: str, today: date, *, day_first: bool) -> date | None:
    """Return the day meant, None if it can't be told; without year or month the next one to come is meant.

    `day_first` is how 11/12 is read where it could be either.
    """
    word = " ".join(text.lower().split())
    if word in _RELATIVE:
        return today + timedelta(days=_RELATIVE[word])
    said = _FILLERS.sub(" ", text).strip()
    day_first = day_first and not _ISO.search(said)
    start = datetime.combine(today, time())
    near, far = _parse(said, start, day_first=day_first), _parse(said, start + _FAR, day_first=day_first)
    if near is None or far is None:
        return None
    if _WEEKDAY.search(said) and not re.search(r"\d", said):
        return _next_weekday(near.date(), today, strictly="next" in word.split())
    if near.day != far.day:
        return None
    return _to_come(near, far, today)


def read_time(text: str) -> time | None:
    """Return the time of the day meant, None if it can't be told."""
    said = _FILLERS.sub(" ", text).strip().lower()
    said = _CLOCK.get(said, said)
    if said.isascii() and said.isdigit():
        said = f"{said}:00" if len(said) <= len("14") else f"{said[:-2]}:{said[-2:]}"
    start = datetime(2000, 1, 1)  # noqa: DTZ001 -- the day does not count
    near, far = _parse(said, start), _parse(said, start.replace(hour=23))
    return near.time() if near and far and near.hour == far.hour else None


def read_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Return a date and time in ISO form as the time of the zone, without it; None if the text is none."""
    if not _WHOLE.match(text.strip()):
        return None
    found = _parse(text.strip(), datetime(2000, 1, 1), offset=True)  # noqa: DTZ001 -- filled in whole
    return found.astimezone(zone).replace(tzinfo=None) if found and found.tzinfo else found


def _parse(text: str, default: datetime, *, day_first: bool = False, offset: bool = False) -> datetime | None:
    if not text or len(text) > _LONGEST:
        return None
    try:
        return parser.parse(text, default=default, dayfirst=day_first, ignoretz=not offset)
    except (ValueError, OverflowError, TypeError):
        return None


def _next_weekday(found: date, today: date, *, strictly: bool) -> date:
    return found + timedelta(days=7) if strictly and found == today else found


def _to_come(near: datetime, far: datetime, today: date) -> date | None:
    found = near.date()
    try:
        if near.month != far.month:
            return found if found >= today else found + relativedelta(months=1)
        if near.year != far.year:
            return found if found >= today else found.replace(year=found.year + 1)
    except (ValueError, OverflowError):
        return None
    return found
