"""Single flight: of all threads that want the same thing at once, one fetches it."""

import threading
from collections.abc import Callable, Hashable

from voxanne import deadline
from voxanne.cache.errors import IsUnavailable


class _Flight:
    __slots__ = ("done", "error", "result")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.result: bytes | None = None
        self.error: BaseException | None = None


class Flights:
    """Fetches under way, by name.

    Those who come while one is under way get its bytes. If it fails with an error that `is_shared` they fail alike
    (the same origin is down for all); any other error may have been the first one's own, and they fetch themselves.
    """

    def __init__(self, wait: float, is_shared: IsUnavailable) -> None:
        self._wait = wait
        self._is_shared = is_shared
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}

    def run(self, name: Hashable, fetch: Callable[[], bytes]) -> bytes:
        """Return the bytes that `fetch` gives, called here or by whoever came first; the wait is bounded."""
        for _ in range(2):
            flight, first = self._join(name)
            if first:
                return self._lead(name, flight, fetch)
            if not flight.done.wait(deadline.left(self._wait)):
                break
            if flight.result is not None:
                return flight.result
            if isinstance(flight.error, Exception) and self._is_shared(flight.error):
                raise flight.error
        return fetch()

    def _join(self, name: Hashable) -> tuple[_Flight, bool]:
        with self._lock:
            flight = self._flights.get(name)
            if flight is not None:
                return flight, False
            self._flights[name] = flight = _Flight()
            return flight, True

    def _lead(self, name: Hashable, flight: _Flight, fetch: Callable[[], bytes]) -> bytes:
        try:
            flight.result = fetch()
        except BaseException as error:
            # Who had less time than others fails alone.
            flight.error = None if deadline.is_set() else error
            raise
        else:
            return flight.result
        finally:
            with self._lock:
                del self._flights[name]
            flight.done.set()
