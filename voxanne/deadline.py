"""How long somebody waits for an answer: what is asked within the block gives up by then, whatever its own limit.

It holds for the thread that opened the block, not for those that fetch on its behalf.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Have everything in the block done, or given up, within that time."""
    token = _until.set(monotonic() + left(seconds))
    try:
        yield
    finally:
        _until.reset(token)


def is_set() -> bool:
    """Whether somebody waits."""
    return _until.get() is not None


def left(most: float) -> float:
    """Return the seconds that may still be waited: `most`, or less if somebody waits, 0.0 once the time is up."""
    until = _until.get()
    return most if until is None else max(0.0, min(most, until - monotonic()))
