"""The store on Redis, shared by all processes."""

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from flask import Flask
from redis.commands.core import Script
from redis.exceptions import RedisError

from voxanne.cache import scripts
from voxanne.cache.backends import JsonSerializer, redis_backend
from voxanne.cache.counters import Counters
from voxanne.cache.lease import Lease
from voxanne.cache.link import Link, OutError
from voxanne.cache.regions import Region, group_of
from voxanne.cache.store import Claim, Entry, Reading, Turn, valid

LAYOUT = 1  # of entries; raised when their shape changes
LOCK_MS = 2_000
BUSY_MS = 30_000
TICKET_MS = 120_000
SEEN_MS = 86_400_000
MAX_MISSED = 10_000


logger = logging.getLogger("voxanne.cache")


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
        self.lease = Lease()
        self._prefix = prefix
        self._backend = redis_backend(app, self.link.client)
        self._pack = JsonSerializer().dumps
        self._unpack = JsonSerializer().loads
        self._counters = counters
        self._told = threading.Condition()
        self._sending = threading.Lock()
        self._beating = threading.Lock()
        self._closed = self._missing = False
        self._missed: list[_Change] = []
        self._open: dict[str, bool] = {}
        self._common = [f"{prefix}:epoch", f"{prefix}:live", f"{prefix}:leases"]
        self._epoch, self._index, self._leases = self._common
        self._counts = f"{prefix}:counts"
        self._seen = f"{prefix}:seen:{secrets.token_hex(8)}"
        register = self.link.client.register_script
        self._present_epoch: Script = register(scripts.EPOCH)
        self._claim: Script = register(scripts.CLAIM)
        self._put: Script = register(scripts.PUT)
        self._release: Script = register(scripts.RELEASE)
        self._change: Script = register(scripts.CHANGE)
        self._renew: Script = register(scripts.BEAT)
        self._hand_in: Script = register(scripts.HAND_IN)
        self._tally: Script = register(scripts.TALLY)

    def read(self, region: Region, key: str) -> Reading:
        """Return the valid entry and the present ticket, in one round trip; no ticket while Redis is not to be used.

        It takes a second one where the value tells whose it is, and while there is no epoch.
        """
        value_at, generation_at = self._value_at(region, key), self._generation_at(region, region.group(key))
        try:
            return self.link.call(lambda: self._read(region, value_at, generation_at), again=True)
        except OutError:
            return Reading(None, None)

    def claim(self, region: Region, key: str) -> Claim:
        """Ask for the turn to load: a lock that expires by itself."""
        token, group = secrets.token_hex(8), region.group(key)
        generation_at, busy_at = self._generation_at(region, group), self._busy_at(region, group)
        keys = [*self._common, generation_at, busy_at, self._value_at(region, key), self._lock_at(region, key)]
        args: list[Any] = [_random(), TICKET_MS, token, LOCK_MS]

        def ask() -> Claim:
            turn, packed_ticket, packed = self._claim(keys, args)
            ticket = packed_ticket.decode()
            return Claim(Turn(turn.decode()), ticket, self._valid(region, self._unpack(packed), ticket), token)

        try:
            return self.link.call(ask)
        except OutError:
            return Claim(Turn.OUT)

    def put(self, region: Region, key: str, claim: Claim, entry: Entry, keep_for: float) -> None:
        """Store an entry unless its ticket has been replaced meanwhile; gives the lock back."""
        if claim.turn in {Turn.BUSY, Turn.OUT}:
            return
        keep_ms, group = round(keep_for * 1000), region.group_of(key, entry[3])
        keys = [
            *self._common,
            self._generation_at(region, region.group(key)),
            self._value_at(region, key),
            self._lock_at(region, key),
            self._generation_at(region, group),
            self._busy_at(region, group),
        ]
        packed = self._pack(entry[1:])[1:]  # the script puts the ticket before it
        self._try(self._put, keys, [_random(), claim.ticket, claim.token, packed, keep_ms, keep_ms + TICKET_MS])

    def release(self, region: Region, key: str, claim: Claim) -> None:
        """Give the lock back."""
        if claim.turn is Turn.MINE:
            self._try(self._release, [self._lock_at(region, key)], [f"{claim.ticket} {claim.token}"])

    def begin_change(self, keys: Sequence[tuple[Region, str]], token: str) -> str:
        """Replace the tickets and mark the keys busy; the mark outlives a writer that dies by half a minute at most.

        Return the new generation, "" where Redis could not be told.
        """
        generation, self._open[token] = _random(), False
        try:
            self._tell(keys, token, BUSY_MS, generation)
        except OutError:
            return ""
        self._open[token] = True
        return str(generation)

    def end_change(self, keys: Sequence[tuple[Region, str]], token: str, *, settle: float, begun: str = "") -> str:
        """Replace the tickets again and take the mark away; kept for later if Redis is out.

        Where Redis knows nothing of the change at all, this waits until it does, or until the lease has ended: once in
        an outage. Return the new ticket, or "" if another change has begun or ended since `begun`.
        """
        generation, epoch = _random(), None
        try:
            epoch = self._tell(keys, token, round(settle * 1000), generation, begun)
        except OutError:
            change = _Change(tuple(keys), token, settle)
            with self._told:
                too_many = len(self._missed) >= MAX_MISSED
                if too_many:
                    self._missed.clear()
                self._missed.append(change)
            self.link.leave(doubt=too_many)
            if not self._open.get(token):  # else the mark keeps what is read from being stored
                self._wait_until_known(change)
        self._open.pop(token, None)
        return f"{int(epoch)}.{generation}" if epoch else ""

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
        """Tell what is owed, hand in the last counts and stop; the lease is handed in only when nothing is owed."""
        if self._closed:
            return
        done = self.link.is_used and self.link.beat_now()
        with self._beating:
            self._closed = True
            if done and not self._missed and all(list(self._open.values())):
                with contextlib.suppress(RedisError, OSError):
                    self._hand_in([self._leases], [self.lease.name])
        self.link.close()

    def _read(self, region: Region, value_at: str, generation_at: str) -> Reading:
        entry, epoch, generation = self._backend.get_many(value_at, self._epoch, generation_at)
        if epoch is None:
            epoch = self._present_epoch(self._common, [_random()])
            if epoch is None:  # a process is missing: it cannot tell which load began before its change
                return Reading(None, None)
            epoch = int(epoch)
        ticket = f"{epoch}.{generation}"
        return Reading(ticket, self._valid(region, entry, ticket))

    def _valid(self, region: Region, entry: Any, ticket: str) -> Entry | None:
        if region.owner is None or not isinstance(entry, list):
            return valid(entry, ticket)
        own = self.link.client.get(self._generation_at(region, region.owner(entry[3])))
        return valid(entry, f"{ticket.partition('.')[0]}.{int(cast('bytes', own))}") if own else None

    def _wait_until_known(self, change: _Change) -> None:
        with self._told:
            while (left := self.lease.seconds_left()) and change in self._missed:
                self._told.wait(left)

    def _beat(self, doubt: bool) -> None:  # noqa: FBT001
        with self._beating:
            if self._closed:
                return
            seconds, micros = cast("tuple[int, int]", self.link.client.time())
            while self._missed:  # before the lease is renewed, since that lets the others store again
                missed = self._missed[0]
                self._change(*self._change_of(missed.keys, missed.token, round(missed.settle * 1000), _random()))
                with self._told:
                    if self._missed and self._missed[0] is missed:
                        del self._missed[0]
                    self._told.notify_all()
            ends = self.lease.renewal(seconds * 1000 + micros // 1000)
            self._note_missing(bool(self._renew(self._common, [_random(), self.lease.name, ends, int(doubt)])))
            self._send_counts()

    def _note_missing(self, missing: bool) -> None:  # noqa: FBT001
        if missing != self._missing:
            self._missing = missing
            text = "a process is cut off from redis or dead, nothing is cached" if missing else "all processes are back"
            logger.warning(text)

    def _send_counts(self) -> None:
        with self._sending:
            batch = self._counters.batch()
            if batch is not None:
                flat = [part for pair in batch.counts.items() for part in pair]
                self._tally([self._counts, f"{self._seen}:{os.getpid()}"], [batch.id, SEEN_MS, *flat])
                self._counters.sent(batch)

    def _try(self, script: Script, keys: list[str], args: list[Any]) -> None:
        with contextlib.suppress(OutError):
            self.link.call(lambda: script(keys, args))

    def _tell(
        self, keys: Sequence[tuple[Region, str]], token: str, mark_ms: int, generation: int, begun: str = ""
    ) -> bytes | None:
        change = self._change_of(keys, token, mark_ms, generation, begun)
        return cast("bytes | None", self.link.call(lambda: self._change(*change), again=True))

    def _change_of(
        self, keys: Sequence[tuple[Region, str]], token: str, mark_ms: int, generation: int, begun: str = ""
    ) -> tuple[list[str], list[Any]]:
        names = [self._epoch, self._index]
        for region, key in keys:
            group = group_of(key)
            loading_at = self._generation_at(region, region.group(key))
            names += [self._generation_at(region, group), loading_at, self._busy_at(region, group)]
            names.append(self._value_at(region, key))
        return names, [generation, TICKET_MS, token, BUSY_MS, mark_ms, begun]

    def _generation_at(self, region: Region, group: str) -> str:
        return f"{self._prefix}:gen:{region.name}:{group}"

    def _busy_at(self, region: Region, group: str) -> str:
        return f"{self._prefix}:busy:{region.name}:{group}"

    def _value_at(self, region: Region, key: str) -> str:
        return f"{self._prefix}:v{LAYOUT}.{region.version}:{region.name}:{key}"

    def _lock_at(self, region: Region, key: str) -> str:
        return f"{self._prefix}:turn{LAYOUT}.{region.version}:{region.name}:{key}"


def _random() -> int:
    return secrets.randbits(53)
