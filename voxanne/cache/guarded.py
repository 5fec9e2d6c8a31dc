"""Redis for others in this program, behind the cache's circuit breaker: one wait for a dead Redis, not one each."""

from collections.abc import Callable
from typing import Any, TypeVar

from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from voxanne.cache.link import TIMEOUT, Link

T = TypeVar("T")


class _ReportingRetry(Retry):
    """Tries once, and tells the breaker of a failure."""

    def __init__(self, link: Link) -> None:
        super().__init__(NoBackoff(), 0)
        self._link = link

    def __deepcopy__(self, _memo: dict[int, Any]) -> "_ReportingRetry":
        # redis-py copies what it is given for each connection; all of them report to the one link.
        return self

    def call_with_retry(self, do: Callable[[], T], fail: Callable[..., Any], *args: Any, **kwargs: Any) -> T:
        try:
            return super().call_with_retry(do, fail, *args, **kwargs)
        except (RedisConnectionError, RedisTimeoutError, OSError):
            self._link.leave()
            raise


class GuardedPool(ConnectionPool):
    """A connection pool that refuses at once while the breaker is open."""

    link: Link

    @classmethod
    def behind(cls, link: Link, url: str) -> "GuardedPool":
        """Make a pool of its own for that Redis, with the cache's time limits."""
        pool = cls.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=_ReportingRetry(link))
        pool.link = link
        return pool

    def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Return a connection; raises redis's ConnectionError while Redis is left alone."""
        if self.link.is_out:
            raise RedisConnectionError("redis is out")
        return super().get_connection(*args, **kwargs)
