"""The store on Redis, shared by all processes."""

import os
import secrets
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from flask import Flask
from redis.commands.core import Script

from voxanne.cache import scripts
from voxanne.cache.backends import JsonSerializer, redis_backend
from voxanne.cache.counters import Counters
from voxanne.cache.link import Link, OutError
from voxanne.cache.regions import Region
from voxanne.cache.store import Claim, Entry, Reading, Turn, valid

LAYOUT = 1  # of entries; raised when their shape changes
EPOCH_MS = 3_000
LOCK_MS = 2_000
BUSY_MS = 30_000
TICKET_MS = 120_000
SEEN_MS = 86_400_000
MAX_MISSED = 10_000


class _Change(NamedTuple):
    keys: tuple[tuple[Region, str], ...]
    token: str
    settle: float


class RedisStore:
    """Tickets live in Redis; whatever this process could not tell Redis is told before it uses Redis again."""

    name = "redis"

    def __init__(self, app: Flask, url: str, prefix: str, counters: Counters) -> None:
        self.url = url
        self.link = Link(url, self._beat)
        self._prefix = prefix
        self._backend = redis_backend(app, self.link.client)
        self._pack = JsonSerializer().dumps
        self._unpack = JsonSerializer().loads
        self._counters = counters
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._missed: list[_Change] = []
        self._epoch = f"{prefix}:epoch"
        self._index = f"{prefix}:live"
        self._counts = f"{prefix}:counts"
        self._seen = f"{prefix}:seen:{secrets.token_hex(8)}"
        register = self.link.client.register_script
        self._claim: Script = register(scripts.CLAIM)
        self._put: Script = register(scripts.PUT)
        self._release: Script = register(scripts.RELEASE)
        self._change: Script = register(scripts.CHANGE)
        self._renew: Script = register(scripts.BEAT)
        self._tally: Script = register(scripts.TALLY)

    def read(self, region: Region, key: str) -> Reading:
        """Return the valid entry and the present ticket, in one round trip; no ticket while Redis is out."""
        generation_at, _, value_at, _ = self._names(region, key)
        try:
            entry, epoch, generation = self.link.call(
                lambda: self._backend.get_many(value_at, self._epoch, generation_at)
            )
        except OutError:
            return Reading(None, None)
        ticket = f"{epoch}.{generation}"
        return Reading(ticket, valid(entry, ticket))

    def claim(self, region: Region, key: str) -> Claim:
        """Ask for the turn to load: a lock that expires by itself."""
        token = secrets.token_hex(8)
        keys = [self._epoch, *self._names(region, key), self._index]
        args: list[Any] = [_random(), EPOCH_MS, TICKET_MS, token, LOCK_MS]
        try:
            turn, ticket, packed = self.link.call(lambda: self._claim(keys, args))
        except OutError:
            return Claim(Turn.OUT)
        ticket = ticket.decode()
        return Claim(Turn(turn.decode()), ticket, valid(self._unpack(packed), ticket), token)

    def put(self, region: Region, key: str, claim: Claim, entry: Entry, keep_for: float) -> None:
        """Store an entry unless its ticket has been replaced meanwhile; gives the lock back."""
        if claim.turn in {Turn.BUSY, Turn.OUT}:
            return
        keep_ms = round(keep_for * 1000)
        keys = [self._epoch, *self._names(region, key), self._index]
        self._try(self._put, keys, [claim.ticket, claim.token, self._pack(entry), keep_ms, keep_ms + TICKET_MS])

    def release(self, region: Region, key: str, claim: Claim) -> None:
        """Give the lock back."""
        if claim.turn is Turn.MINE:
            self._try(self._release, [self._names(region, key)[3]], [claim.token])

    def begin_change(self, keys: Sequence[tuple[Region, str]], token: str) -> None:
        """Replace the tickets and mark the keys busy; the mark outlives a writer that dies by half a minute at most."""
        self._try(self._change, *self._change_of(keys, token, BUSY_MS))

    def end_change(self, keys: Sequence[tuple[Region, str]], token: str, *, settle: float) -> None:
        """Replace the tickets again and take the mark away; kept for later if Redis is out."""
        if self._try(self._change, *self._change_of(keys, token, round(settle * 1000))):
            return
        with self._lock:
            self._missed.append(_Change(tuple(keys), token, settle))
            too_many = len(self._missed) > MAX_MISSED
            if too_many:
                self._missed.clear()
        self.link.leave(doubt=too_many)

    def count(self) -> int:
        """Return how many live values Redis holds for all processes; 0 while it is out."""
        try:
            return cast("int", self.link.call(lambda: self.link.client.zcard(self._index)))
        except OutError:
            return 0

    def answers(self) -> bool:
        """Return whether Redis can be reached now."""
        try:
            return bool(self.link.call(self.link.client.ping))
        except OutError:
            return False

    def totals(self) -> dict[str, int] | None:
        """Return the counts of all processes, or None while Redis is out."""
        try:
            self.link.call(self._send_counts)
            found = cast("dict[bytes, bytes]", self.link.call(lambda: self.link.client.hgetall(self._counts)))
        except OutError:
            return None
        return {name.decode(): int(number) for name, number in found.items()}

    def close(self) -> None:
        """Hand in the last counts and stop."""
        if not self.link.is_out:
            self.totals()
        self.link.close()

    def _beat(self, doubt: bool) -> None:  # noqa: FBT001
        self._renew([self._epoch, self._index], [_random(), EPOCH_MS, int(doubt)])
        while self._missed:
            missed = self._missed[0]
            self._change(*self._change_of(missed.keys, missed.token, round(missed.settle * 1000)))
            with self._lock:
                if self._missed and self._missed[0] is missed:
                    del self._missed[0]
        self._send_counts()

    def _send_counts(self) -> None:
        with self._sending:
            batch = self._counters.batch()
            if batch is not None:
                flat = [part for pair in batch.counts.items() for part in pair]
                self._tally([self._counts, f"{self._seen}:{os.getpid()}"], [batch.id, SEEN_MS, *flat])
                self._counters.sent(batch)

    def _try(self, script: Script, keys: list[str], args: list[Any]) -> bool:
        try:
            self.link.call(lambda: script(keys, args))
        except OutError:
            return False
        return True

    def _change_of(self, keys: Sequence[tuple[Region, str]], token: str, mark_ms: int) -> tuple[list[str], list[Any]]:
        names = [name for region, key in keys for name in self._names(region, key)]
        return [self._index, *names], [_random(), TICKET_MS, token, BUSY_MS, mark_ms]

    def _names(self, region: Region, key: str) -> tuple[str, str, str, str]:
        prefix, name, shape = self._prefix, f"{region.name}:{key}", f"{LAYOUT}.{region.version}"
        return (
            f"{prefix}:gen:{name}",
            f"{prefix}:busy:{name}",
            f"{prefix}:v{shape}:{name}",
            f"{prefix}:turn{shape}:{name}",
        )


def _random() -> int:
    return secrets.randbits(53)
