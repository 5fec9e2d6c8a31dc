"""What the cache raises and what it understands."""

from collections.abc import Callable

IsUnavailable = Callable[[Exception], bool]


class CacheConfigError(ValueError):
    """The cache cannot work with these settings; the text is one line for whoever starts the program."""


class OriginUnavailableError(Exception):
    """A loader may raise this to say: the origin did not answer, a stale value is better than none."""


def unavailability(told: IsUnavailable | tuple[type[Exception], ...]) -> IsUnavailable:
    """Make the test for "the origin is slow or down" out of what the app told, and what is always one."""
    if isinstance(told, tuple):
        kinds: tuple[type[Exception], ...] = (OriginUnavailableError, OSError, *told)
        return lambda error: isinstance(error, kinds)
    return lambda error: isinstance(error, (OriginUnavailableError, OSError)) or told(error)
