"""Where events wait on disk while the database is away: one SQLite file that all processes of the machine share.

An event is on the disk, encrypted, before it is acknowledged. Taking one out is not synced: at worst it is applied
again, which changes nothing. SQLite itself refuses what would make the file too large, or finds no room on the disk.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Flask

from voxanne.config import Settings
from voxanne.services.webhooks.deliveries import Delivery
from voxanne.services.webhooks.live import SPOOL

PAGE_BYTES = 4096
# How long a thread waits for other writers; each takes milliseconds.
BUSY_SECONDS = 3.0
_SCHEMA = """
create table if not exists events (
  id integer primary key autoincrement, failures integer not null default 0, delivery blob not null
);
create index if not exists events_in_order on events (failures, id);
"""


@dataclass(frozen=True)
class Kept:
    """An event in the spool; `delivery` is None if no key opens it."""

    id: int
    delivery: Delivery | None


@dataclass(frozen=True)
class Size:
    """What the spool holds; `failed` of its events have been tried in vain."""

    events: int
    failed: int
    bytes: int


class SqliteSpool:
    """Keeps deliveries in one folder; nothing is opened before it is needed. Raises sqlite3.Error and OSError."""

    def __init__(self, folder: Path, keys: tuple[str, ...], *, most_bytes: int) -> None:
        self.folder = folder
        self._fernets = tuple(Fernet(key) for key in keys)
        self._vault = MultiFernet(self._fernets)
        self._most_pages = max(8, most_bytes // PAGE_BYTES)
        self._local = threading.local()

    def put(self, delivery: Delivery) -> None:
        """Keep one; when this returns it is on the disk."""
        content = [delivery.source, delivery.org_id, delivery.payload, delivery.received_at, delivery.attempts]
        sealed = self._vault.encrypt(orjson.dumps(content))
        with self._transaction(synced=True) as db:
            db.execute("insert into events (delivery) values (?)", [sealed])

    def take(self, *, after: Kept | None = None) -> Kept | None:
        """Return the oldest event among those tried least often, past the given one; it stays until `done`."""
        query = "select id, delivery, failures from events {} order by failures, id limit 1"
        if after is None:
            row = self._connection().execute(query.format("")).fetchone()
        else:
            place = "where (failures, id) > (select failures, id from events where id = ?)"
            row = self._connection().execute(query.format(place), [after.id]).fetchone()
        return Kept(row[0], self._opened(row[1], failures=row[2])) if row else None

    def done(self, kept: Kept) -> None:
        """Forget an event that has been applied."""
        with self._transaction() as db:
            db.execute("delete from events where id = ?", [kept.id])

    def fail(self, kept: Kept) -> None:
        """Put an event behind the others."""
        with self._transaction() as db:
            db.execute("update events set failures = failures + 1 where id = ?", [kept.id])

    def size(self) -> Size:
        """Count what is kept; a folder that is not there yet holds nothing."""
        if not self._file.exists():
            return Size(0, 0, 0)
        query = "select count(*), coalesce(sum(failures > 0), 0), coalesce(sum(length(delivery)), 0) from events"
        return Size(*self._connection().execute(query).fetchone())

    def rotate(self) -> tuple[int, int]:
        """Re-encrypt with the first key; returns how many were, and how many no key opens."""
        rotated = unreadable = 0
        if not self._file.exists():
            return 0, 0
        for (event_id,) in self._connection().execute("select id from events order by id").fetchall():
            with self._transaction(synced=True) as db:
                row = db.execute("select delivery from events where id = ?", [event_id]).fetchone()
                if row is None or self._is_current(row[0]):
                    continue
                try:
                    fresh = self._vault.rotate(row[0])
                except InvalidToken:
                    unreadable += 1
                    continue
                db.execute("update events set delivery = ? where id = ?", [fresh, event_id])
                rotated += 1
        return rotated, unreadable

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """Hold, within the block, the right to apply events, which one thread on the machine has at a time.

        False if another has it. The system takes it from a process that dies.
        """
        self._make_folder()
        lock = os.open(self.folder / "drain.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)

    @property
    def _file(self) -> Path:
        return self.folder / "events.sqlite"

    def _opened(self, sealed: bytes, *, failures: int) -> Delivery | None:
        try:
            source, org_id, payload, received_at, attempts = orjson.loads(self._vault.decrypt(sealed))
        except (InvalidToken, ValueError):
            return None
        # Each failure was a try, and so is the one to come.
        return Delivery(source, org_id, payload, datetime.fromisoformat(received_at), attempts + failures + 1)

    def _is_current(self, sealed: bytes) -> bool:
        try:
            self._fernets[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True

    @contextmanager
    def _transaction(self, *, synced: bool = False) -> Iterator[sqlite3.Connection]:
        db = self._connection()
        db.execute(f"pragma synchronous = {'full' if synced else 'normal'}")
        db.execute("begin immediate")
        try:
            yield db
            db.execute("commit")
        finally:
            if db.in_transaction:
                db.execute("rollback")

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection: not one from before a fork, nor to a file that somebody has removed."""
        if getattr(self._local, "opened", None) != (os.getpid(), self._inode()):
            self._local.connection = self._open()
            self._local.opened = (os.getpid(), self._inode())
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _inode(self) -> int | None:
        try:
            return self._file.stat().st_ino
        except FileNotFoundError:
            return None

    def _open(self) -> sqlite3.Connection:
        self._make_folder()
        # One at a time: SQLite does not wait for another that makes the file ready, but says that it is locked.
        with self._folder_locked():
            is_new = self._create()
            db = self._connect()
            if is_new:
                self._sync_folder()
        return db

    def _create(self) -> bool:
        """Make the file, readable for us alone, unless there is one; that one must not be opened except by SQLite.

        Closing any other handle of it would take this process' locks away from it, those of other threads too.
        """
        try:
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            db.execute(f"pragma max_page_count = {self._most_pages}")
            db.executescript(_SCHEMA)
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _folder_locked(self) -> Iterator[None]:
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.folder.stat().st_mode & 0o077:
            self.folder.chmod(0o700)

    def _sync_folder(self) -> None:
        """Make sure that the file's name, too, outlives a power cut."""
        for place in (self.folder, self.folder.parent):
            handle = os.open(place, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def init_app(app: Flask) -> None:
    """Set up the spool, where the settings name a folder for it; it opens on first use."""
    settings: Settings = app.config["SETTINGS"]
    if settings.spool_folder is not None:
        most_bytes = settings.webhook_spool_max_mb * 1024 * 1024
        app.extensions[SPOOL] = SqliteSpool(settings.spool_folder, settings.fernet_keys, most_bytes=most_bytes)


def of(app: Flask) -> SqliteSpool | None:
    """Return an application's spool, None if it has none."""
    spool: SqliteSpool | None = app.extensions.get(SPOOL)
    return spool
