"""What the cache raises and what it understands."""


class CacheConfigError(ValueError):
    """The cache cannot work with these settings; the text is one line for whoever starts the program."""


class OriginUnavailableError(Exception):
    """A loader may raise this to say: the origin did not answer, a stale value is better than none."""
