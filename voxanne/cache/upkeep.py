"""Which values are read, and so are worth loading anew before they end and after a change that drops them."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from voxanne.cache.regions import Region, group_of

LOOK_EVERY = 1.0
MAX_WISHES = 10_000


class Wish(NamedTuple):
    """A value that was read since it was loaded.

    `group` is whose changes drop it, `due` when to load it anew, and `loader` that of the last reader.
    """

    region: Region
    key: str
    group: str
    due: float
    loader: Callable[[], Any]


class Upkeep:
    """Grants each wish once, when it is due or its organisation's values are dropped; a value unread makes none.

    So what is read goes on being there without any reader's waiting, at one load in each life, and what is read no
    more is loaded once in vain.
    """

    def __init__(self, grant: Callable[[Wish], None]) -> None:
        self._grant = grant
        self._lock = threading.Lock()
        self._wishes: dict[tuple[str, str], dict[str, Wish]] = {}
        self._number = 0
        self._closed = threading.Event()
        self._pid = 0

    def note(self, wish: Wish) -> None:
        """Note that a value was read."""
        pid = os.getpid()
        with self._lock:
            wishes = self._wishes.setdefault((wish.region.name, wish.group), {})
            if wish.key not in wishes:
                if self._number >= MAX_WISHES:
                    return
                self._number += 1
            wishes[wish.key] = wish
            started, self._pid = self._pid == pid, pid
        if not started:  # threads don't outlive a fork
            threading.Thread(target=self._watch, name="cache-upkeep", daemon=True).start()

    def look(self) -> None:
        """Grant what is due."""
        now = time.time()
        with self._lock:
            due = [wish for wishes in self._wishes.values() for wish in wishes.values() if wish.due <= now]
            for wish in due:
                del self._wishes[wish.region.name, wish.group][wish.key]
            self._wishes = {name: wishes for name, wishes in self._wishes.items() if wishes}
            self._number -= len(due)
        for wish in due:
            self._grant(wish)

    def changed(self, keys: Iterable[tuple[Region, str]]) -> None:
        """Grant the wishes of these keys' organisations, whose values have been dropped."""
        with self._lock:
            dropped = [self._wishes.pop((region.name, group_of(key)), {}) for region, key in keys]
            self._number -= sum(map(len, dropped))
        for wishes in dropped:
            for wish in wishes.values():
                self._grant(wish)

    def close(self) -> None:
        """Grant nothing more."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_EVERY):
            self.look()
