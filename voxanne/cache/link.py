"""The connection to Redis with a circuit breaker: after one failure nobody waits for it until it is well."""

import contextlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

T = TypeVar("T")
logger = logging.getLogger("voxanne.cache")

TIMEOUT = 0.2
BEAT_EVERY = 0.25
PROBE_EVERY = 0.1
OUT_AT_LEAST = 0.5  # a server that is slow on and off is not tried twice in a request


class OutError(Exception):
    """Redis is not to be used now."""


class Link:
    """Redis as seen from this process: in use, or out since the first failure.

    Only the keeper, a thread that beats a few times a second, puts it back in use, after `beat` has repaired what was
    missed; so a request waits for a dead Redis once at most. `doubt` tells the beat that values may have changed
    unseen: Redis was away for more than one beat, or the server is not the one that it was.
    """

    def __init__(self, url: str, beat: Callable[[bool], None]) -> None:
        self.client = Redis(
            connection_pool=ConnectionPool.from_url(
                url,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),
                redis_connect_func=self._greet,
            )
        )
        self.failures = 0
        self._beat = beat
        self._out = False
        self._doubt = False
        self._incidents = 0
        self._failed_at = -OUT_AT_LEAST
        self._run_id = ""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._pid = 0

    @property
    def is_out(self) -> bool:
        """Whether Redis is left alone at present."""
        return self._out

    @property
    def is_used(self) -> bool:
        """Whether this process has ever called Redis."""
        return self._pid == os.getpid()

    def call(self, command: Callable[[], T], *, again: bool = False) -> T:
        """Return what the command returns; OutError at once while Redis is out, and when the command fails.

        `again` tries it on a new connection where one was dropped, so it must be a command that may be done twice.
        """
        if self._pid != os.getpid():
            self._start_keeper()
        if self._out:
            raise OutError
        try:
            result = self._twice(command) if again else command()
        except (RedisError, OSError) as error:
            self._fail(error)
            raise OutError from error
        if self._out:
            raise OutError  # it went out meanwhile: what was read may be old, what was done will be done again
        return result

    def leave(self, *, doubt: bool = False) -> None:
        """Leave Redis alone until the next good beat; with doubt, until every value has been replaced."""
        if self._pid != os.getpid():
            self._start_keeper()
        with self._lock:
            self._failed_at = time.monotonic()
            self._put_out(doubt=doubt)
        self._wake.set()

    def beat_now(self) -> bool:
        """Do one beat: repair and renew, then put Redis back in use, unless something new has happened meanwhile.

        Return whether Redis answered.
        """
        with self._lock:
            incidents, doubt = self._incidents, self._doubt
        try:
            self._beat(doubt)
        except (RedisError, OSError) as error:
            with self._lock:
                # a beat that fails while Redis was out already: no mere hiccup
                self._doubt = self._doubt or self._out
            self._fail(error)
            return False
        self._restore(incidents)
        return True

    def close(self) -> None:
        """Stop the keeper."""
        self._closed.set()
        self._wake.set()
        with contextlib.suppress(RedisError, OSError):
            self.client.connection_pool.disconnect(inuse_connections=False)

    def _twice(self, command: Callable[[], T]) -> T:
        try:
            return command()
        except RedisConnectionError:
            self.client.connection_pool.disconnect(inuse_connections=False)
            return command()

    def _put_out(self, *, doubt: bool = False) -> None:
        self._incidents += 1
        self._out = True
        self._doubt = self._doubt or doubt

    def _fail(self, error: Exception) -> None:
        with self._lock:
            first = not self._out
            self.failures += 1
            self._failed_at = time.monotonic()
            self._put_out()
        if first:
            logger.warning("redis is out, answering from the origin", extra={"error": type(error).__name__})
            self._wake.set()

    def _restore(self, incidents: int) -> None:
        with self._lock:
            if incidents != self._incidents:
                self._wake.set()
                return
            self._doubt = False
            restored = self._out and time.monotonic() >= self._failed_at + OUT_AT_LEAST
            if restored:
                self._out = False
        if restored:
            logger.warning("redis is back")

    def _start_keeper(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
        threading.Thread(target=self._keep, name="cache-keeper", daemon=True).start()

    def _keep(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            self.beat_now()
            self._wake.wait(PROBE_EVERY if self._out else BEAT_EVERY)

    def _greet(self, connection: Any) -> None:
        """Notice, on every new connection, a server that was restarted or replaced: it may have forgotten changes."""
        connection.on_connect()
        connection.send_command("INFO", "server")
        try:
            found = re.search(rb"run_id:(\w+)", connection.read_response())
        except ResponseError:
            return  # a server that does not tell; the epoch's expiry remains
        run_id = found.group(1).decode() if found else ""
        with self._lock:
            known, self._run_id = self._run_id, run_id
            replaced = known not in {"", run_id}
            if replaced:
                self._put_out(doubt=True)
        if replaced:
            self._wake.set()
            raise RedisConnectionError("another redis server than before")
