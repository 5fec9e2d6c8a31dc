"""Spares events the wait for a database that takes requests and answers none: they would hold all threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import httpx
from flask import current_app

from voxanne.config import Settings
from voxanne.database import request_log

FIRST_PAUSE_SECONDS, PAUSE_SECONDS = 1.0, 5.0
# Enough for a database that is well after all, as one that was slow for one event's own reasons.
GLANCE_SECONDS = 0.3
_EXTENSION = "voxanne.webhook_breaker"


class Breaker:
    """After a time-out one event tries in each pause, the others go straight to the spool, until one gets an answer.

    One event may time out for reasons of its own: then some others are applied a moment later than they could be. What
    somebody on the telephone waits for is asked all the same, only with less patience.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_try: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the database has kept somebody waiting in vain, and answered nobody since."""
        return self._next_try is not None

    def lets_through(self) -> bool:
        """Whether an event should go to the database; its end is to be told to `note`."""
        with self._lock:
            now = monotonic()
            if self._next_try is not None:
                if now < self._next_try:
                    return False
                self._next_try = now + PAUSE_SECONDS
            return True

    def note(self, error: Exception | None) -> None:
        """Take in how it went; an error that comes at once keeps nobody waiting."""
        with self._lock:
            pause = PAUSE_SECONDS if self.is_open else FIRST_PAUSE_SECONDS
            self._next_try = monotonic() + pause if isinstance(error, httpx.TimeoutException) else None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take in how the database deals with what is asked in the block, if anything is."""
        asked, was_open, error = request_log().count, self.is_open, None
        try:
            yield
        except Exception as raised:
            error = raised
            raise
        finally:
            # A glance in vain is no news, and must not put off the next try.
            if request_log().count > asked and not (was_open and isinstance(error, httpx.TimeoutException)):
                self.note(error)

    def patience(self) -> float:
        """Return how many seconds somebody on the telephone should wait for the database."""
        settings: Settings = current_app.config["SETTINGS"]
        longest = settings.webhook_caller_waits_seconds
        return min(GLANCE_SECONDS, longest) if self.is_open else longest


def current() -> Breaker:
    """Return the one of the application at hand, shared by the process's threads."""
    breaker: Breaker = current_app.extensions.setdefault(_EXTENSION, Breaker())
    return breaker
