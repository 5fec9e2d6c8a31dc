"""How the processes of a deployment add up their last hours: each puts its minutes on Redis, and reads the others'.

A minute is written whole, under the name of the process, so it may be written twice and still counts once. While Redis
is away nothing waits for it (the cache's circuit breaker) and each process knows only its own numbers.
"""

import logging
import os
import secrets
import threading
import time
import weakref
from typing import NamedTuple, cast

import orjson
from redis import ConnectionPool, Redis
from redis.exceptions import RedisError

from voxanne.observability.window import MINUTES, Packed, Window, current_minute

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
_LIFE_SECONDS = (MINUTES + 2) * 60


class Collected(NamedTuple):
    """The minutes of several processes by their number, how many processes, and whether Redis could be asked."""

    minutes: dict[int, list[Packed]]
    processes: int
    complete: bool


class Sharing:
    """This process's window, and where there is Redis those of the others."""

    def __init__(self, window: Window, pool: ConnectionPool | None, prefix: str) -> None:
        self._window = window
        self._redis = Redis(connection_pool=pool) if pool else None
        self._prefix = f"{prefix}:window"
        self._lock, self._publishing = threading.Lock(), threading.Lock()
        self._pid, self._name = 0, ""

    def wake(self) -> None:
        """Begin to share, once in each process: threads do not survive a fork."""
        if self._redis is None or self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid, self._name = os.getpid(), secrets.token_hex(8)
        threading.Thread(target=_keep, args=[weakref.ref(self)], name="window-sharing", daemon=True).start()

    def publish(self) -> None:
        """Tell Redis what is new; what it could not be told is told the next time."""
        if self._redis is None or not self._name:
            return
        with self._publishing:  # else what was taken first could come last
            self._publish(self._redis)

    def _publish(self, redis: Redis) -> None:
        changed = self._window.take_changed()
        if not changed:
            return
        try:
            pipeline = redis.pipeline(transaction=False)
            for number, packed in changed.items():
                pipeline.hset(f"{self._prefix}:{number}", self._name, orjson.dumps(packed))  # type: ignore[arg-type]
                pipeline.expire(f"{self._prefix}:{number}", _LIFE_SECONDS)
            pipeline.execute()
        except (RedisError, OSError):
            self._window.put_back(changed)

    def collect(self) -> Collected:
        """Return the last hour of all processes, or of this one alone while Redis cannot be asked."""
        own = self._window.minutes()
        minutes = {number: [packed] for number, packed in own.items()}
        names = {self._name}
        if self._redis is None:
            return Collected(minutes, 1, complete=True)
        numbers = range(current_minute() - MINUTES + 1, current_minute() + 1)
        try:
            pipeline = self._redis.pipeline(transaction=False)
            for number in numbers:
                pipeline.hgetall(f"{self._prefix}:{number}")
            replies = cast("list[dict[bytes, bytes]]", pipeline.execute())
        except (RedisError, OSError):
            return Collected(minutes, 1, complete=False)
        for number, reply in zip(numbers, replies, strict=True):
            others = {name.decode(): packed for name, packed in reply.items() if name.decode() != self._name}
            names.update(others)
            minutes.setdefault(number, []).extend(orjson.loads(packed) for packed in others.values())
        return Collected(minutes, len(names), complete=True)


def _keep(reference: "weakref.ref[Sharing]") -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        sharing = reference()
        if sharing is None:
            return
        sharing.publish()
        del sharing
