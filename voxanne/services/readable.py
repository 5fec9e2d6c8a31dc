"""Template filters: numbers and times as people read them; None becomes a dash."""

from datetime import datetime

DASH = "\N{EN DASH}"
_KILO = 1024
_PLAIN = 10
_LEAST, _ALL = 0.1, 100


def amount(value: float | None) -> str:
    """Write a number: one decimal below ten, none above, thousands apart."""
    if value is None:
        return DASH
    if isinstance(value, int) or value == int(value) or abs(value) >= _PLAIN:
        return f"{value:,.0f}"
    return f"{value:.1f}"


def share(value: float | None) -> str:
    """Write a share that came as 0 to 100, to one decimal; what is not nothing, and not all, never looks like it."""
    if value is None:
        return DASH
    if value in (0, _ALL):
        return f"{value:.0f}"
    if value < _LEAST:
        return f"< {_LEAST}"
    if value > _ALL - _LEAST:
        return f"> {_ALL - _LEAST}"
    return f"{value:.1f}"


def percent(value: float | None) -> str:
    """Write a share with its sign."""
    return DASH if value is None else f"{share(value)} %"


def size(value: float | None) -> str:
    """Write a number of bytes."""
    if value is None:
        return DASH
    for unit in ("B", "KB", "MB"):
        if value < _KILO:
            return f"{amount(round(value, 1))} {unit}"
        value /= _KILO
    return f"{value:.1f} GB"


def moment(value: datetime | str | None) -> str:
    """Write a day and a time."""
    if value is None:
        return DASH
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at:%Y-%m-%d %H:%M}"


FILTERS = (amount, share, percent, size, moment)
