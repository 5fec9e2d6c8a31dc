"""What a process promises the others: until its lease ends, it tells Redis of each change before answering it.

Redis lets the lease end by itself, and with it everything that anybody has stored (`scripts.py`). So a process that
cannot reach Redis waits for that end once, and from then on knows that nobody serves what it changes.
"""

import contextlib
import os
import secrets
import socket
import time

from redis import Redis
from redis.exceptions import RedisError

from voxanne.cache import scripts
from voxanne.cache.link import TIMEOUT

LEASE_MS = 3_000
SAFETY = 1.05  # clocks do not run alike
SETTLE_MS = 5_000


class Lease:
    """This process's lease, as far as this process knows."""

    def __init__(self) -> None:
        self._number = secrets.token_hex(4)
        self._ends_at = 0.0

    @property
    def name(self) -> str:
        """What the lease is called in Redis; another one after a fork."""
        return f"{_process(os.getpid())}{self._number}"

    def seconds_left(self) -> float:
        """Return how long Redis may still hold the lease for a running one; 0 if it never heard of it."""
        return max(0.0, self._ends_at - time.monotonic())

    def renewal(self, redis_now: int) -> int:
        """Return the new end in milliseconds of Redis's clock, which has just been read.

        The end is a moment and not a duration: a renewal that arrives late does not run for longer than is known here.
        """
        self._ends_at = time.monotonic() + LEASE_MS * SAFETY / 1000
        return redis_now + LEASE_MS


def bury(url: str, prefix: str, pid: int) -> None:
    """Hand in the leases of a process of this machine that died with them, so that the others need not wait for it."""
    client = Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    with contextlib.suppress(RedisError, OSError), client:
        client.eval(scripts.BURY, 2, f"{prefix}:epoch", f"{prefix}:leases", _process(pid), SETTLE_MS)


def _process(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:"
