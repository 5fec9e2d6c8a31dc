"""The store in this process's own memory."""

import threading
import time
from collections.abc import Sequence
from math import ceil

from voxanne.cache.backends import MemoryCache
from voxanne.cache.regions import Region, group_of
from voxanne.cache.store import Claim, Entry, Reading, Turn, valid

MAX_TICKETS = 50_000
BUSY_FOR = 30.0
MAX_BUSY = 1_000  # marks left by failed writes are cleared away beyond this


class MemoryStore:
    """Tickets are the number of an organisation's last change in a region, out of one counter for all."""

    name = "memory"

    def __init__(self, backend: MemoryCache, max_tickets: int = MAX_TICKETS) -> None:
        self._backend = backend
        self._max_tickets = max_tickets
        self._lock = threading.Lock()
        self._changes = 0
        self._floor = "0"
        self._tickets: dict[str, str] = {}
        self._busy: dict[str, dict[str, float]] = {}

    def read(self, region: Region, key: str) -> Reading:
        """Return the valid entry and the present ticket."""
        entry = self._backend.get(f"{region.name}:{key}")
        ticket = self._ticket(region, region.group(key))  # after the entry, so that a change between them shows
        own = self._ticket(region, region.owner(entry[3])) if region.owner and entry else ticket
        return Reading(ticket, valid(entry, own))

    def claim(self, region: Region, key: str) -> Claim:
        """Give the caller the turn, unless a change is under way; flights keep the others waiting."""
        with self._lock:
            busy = self._is_busy(f"{region.name}:{region.group(key)}")
            ticket, entry = self.read(region, key)
        return Claim(Turn.BUSY if busy else Turn.MINE, ticket, entry)

    def put(self, region: Region, key: str, claim: Claim, entry: Entry, keep_for: float) -> None:
        """Store an entry unless its ticket has been replaced meanwhile."""
        with self._lock:
            current = claim.turn is Turn.MINE and claim.ticket == self._ticket(region, region.group(key))
            group = region.group_of(key, entry[3])
            if current and not self._is_busy(f"{region.name}:{group}"):
                stored = [self._ticket(region, group), *entry[1:]]
                self._backend.set(f"{region.name}:{key}", stored, ceil(keep_for) + 1)

    def release(self, region: Region, key: str, claim: Claim) -> None:
        """Do nothing: flights end by themselves."""

    def begin_change(self, keys: Sequence[tuple[Region, str]], token: str) -> str:
        """Replace the tickets and mark the keys busy; return the new ticket."""
        with self._lock:
            if len(self._busy) > MAX_BUSY:
                for name in list(self._busy):
                    self._is_busy(name)
            for name in self._replace_tickets(keys):
                self._busy.setdefault(name, {})[token] = time.monotonic() + BUSY_FOR
            return str(self._changes)

    def end_change(self, keys: Sequence[tuple[Region, str]], token: str, *, settle: float, begun: str = "") -> str:
        """Replace the tickets again and take the mark away, or leave it for `settle` seconds.

        Return the new ticket, or "" if another change has begun or ended since `begun`.
        """
        with self._lock:
            alone = all(self._tickets.get(f"{region.name}:{group_of(key)}") == begun for region, key in keys)
            for name in self._replace_tickets(keys):
                marks = self._busy.setdefault(name, {})
                marks.pop(token, None)
                if settle:
                    marks[token] = time.monotonic() + settle
                self._is_busy(name)
            return str(self._changes) if alone else ""

    def count(self) -> int:
        """Return how many values have not expired."""
        return self._backend.count()

    def answers(self) -> bool:
        """Return True: memory always does."""
        return True

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _ticket(self, region: Region, group: str) -> str:
        return self._tickets.get(f"{region.name}:{group}") or self._floor

    def _replace_tickets(self, keys: Sequence[tuple[Region, str]]) -> list[str]:
        self._changes += 1
        names = [f"{region.name}:{group_of(key)}" for region, key in keys]
        loading = [f"{region.name}:{region.group(key)}" for region, key in keys]
        if len(self._tickets) + len(names) + len(loading) > self._max_tickets:
            # one floor for all stands in for every number forgotten: it is newer than any ticket given out
            self._floor = str(self._changes)
            self._tickets.clear()
        for name in (*names, *loading):
            self._tickets[name] = str(self._changes)
        for region, key in keys:
            self._backend.delete(f"{region.name}:{key}")
        return names

    def _is_busy(self, name: str) -> bool:
        now = time.monotonic()
        marks = {token: until for token, until in self._busy.get(name, {}).items() if until > now}
        if marks:
            self._busy[name] = marks
        else:
            self._busy.pop(name, None)
        return bool(marks)
