"""Spares events the wait for a database that takes requests and answers none: they would hold all threads."""

import threading
import time

import httpx
from flask import current_app

PAUSE_SECONDS = 5.0
_EXTENSION = "voxanne.webhook_breaker"


class Breaker:
    """After a time-out one event tries in each pause, the others go straight to the spool, until one gets an answer.

    One event may time out for reasons of its own: then some others are applied a moment later than they could be.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_try: float | None = None

    def lets_through(self) -> bool:
        """Whether an event should go to the database; its end is to be told to `note`."""
        with self._lock:
            now = time.monotonic()
            if self._next_try is not None:
                if now < self._next_try:
                    return False
                self._next_try = now + PAUSE_SECONDS
            return True

    def note(self, error: Exception | None) -> None:
        """Take in how it went; an error that comes at once keeps nobody waiting."""
        with self._lock:
            self._next_try = time.monotonic() + PAUSE_SECONDS if isinstance(error, httpx.TimeoutException) else None


def current() -> Breaker:
    """Return the one of the application at hand, shared by the process's threads."""
    breaker: Breaker = current_app.extensions.setdefault(_EXTENSION, Breaker())
    return breaker
