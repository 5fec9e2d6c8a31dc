"""The counts behind the limits of one process.

The library's own store starts a thread with nearly every request, to forget what has ended; that took a tenth of a
request's time. This one forgets on the way, and counts in fixed windows only.
"""

import threading
import time
from typing import NamedTuple

from limits.storage import Storage

SCHEME = "process"
_SWEEP_FROM = 10_000


class Window(NamedTuple):
    """A count and when it ends, in seconds since 1970."""

    counted: int
    ends: float


class ProcessStorage(Storage):
    """Counts in a dictionary."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 -- the library's registry reads it
    base_exceptions = ()

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str) -> None:  # noqa: FBT001, FBT002
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._windows: dict[str, Window] = {}
        self._lock = threading.Lock()
        self._sweep_at = _SWEEP_FROM

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return how many that makes; the window begins with its first count."""
        now = time.time()
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.ends <= now:
                self._sweep(now)
                window = Window(0, now + expiry)
            self._windows[key] = window = Window(window.counted + amount, window.ends)
        return window.counted

    def get(self, key: str) -> int:
        """Return the count, 0 where the window has ended."""
        window = self._windows.get(key)
        return window.counted if window and window.ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window ends; now where there is none."""
        window = self._windows.get(key)
        return window.ends if window else time.time()

    def check(self) -> bool:
        """Whether the store works."""
        return True

    def reset(self) -> int:
        """Forget everything, and return how much that was."""
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._lock:
            self._windows.pop(key, None)

    def _sweep(self, now: float) -> None:
        if len(self._windows) >= self._sweep_at:
            self._windows = {key: window for key, window in self._windows.items() if window.ends > now}
            self._sweep_at = max(_SWEEP_FROM, 2 * len(self._windows))
