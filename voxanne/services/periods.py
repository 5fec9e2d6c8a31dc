"""Days, weeks and months in an organisation's time zone, as instants in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_A_DAY = timedelta(days=1)


def start_of(period: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when "today", "week" (midnight 7 days ago) or "month" (the 1st) began, in UTC."""
    today = now.astimezone(zone).date()
    first = {"today": today, "week": today - 7 * _A_DAY, "month": today.replace(day=1)}[period]
    return midnight(first, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins in that zone, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def lower_bound(moment: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return the first instant that an inclusive start includes; a day starts at its midnight."""
    if moment is None:
        return None
    if isinstance(moment, datetime):
        return _aware(moment, zone)
    return midnight(moment, zone)


def upper_bound(moment: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return the last instant that an inclusive end includes; a day ends a microsecond before the next midnight."""
    if moment is None:
        return None
    if isinstance(moment, datetime):
        return _aware(moment, zone)
    return midnight(moment + _A_DAY, zone) - timedelta(microseconds=1)


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
