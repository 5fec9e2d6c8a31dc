"""Watches the database's connections and the memory of processes while something else is going on."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import psycopg

EVERY_SECONDS = 0.2


@dataclass
class Seen:
    """The most of anything that was seen; `limit` is how many connections the database allows."""

    limit: int
    connections: int = 0
    busy: int = 0
    postgres_mb: float = 0

    @property
    def share(self) -> float:
        return self.connections / self.limit


@contextmanager
def watching() -> Iterator[Seen]:
    """Keep looking until the block ends; this connection of our own is not counted."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as sql:
        found = sql.execute("select current_setting('max_connections')::int").fetchone()
        assert found
        seen, stop = Seen(limit=found[0]), threading.Event()
        thread = threading.Thread(target=_look, args=(sql, seen, stop))
        thread.start()
        try:
            yield seen
        finally:
            stop.set()
            thread.join()


def _look(sql: psycopg.Connection, seen: Seen, stop: threading.Event) -> None:
    query = """
      select pid, state = 'active' as busy from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()"""
    while not stop.wait(EVERY_SECONDS):
        rows = sql.execute(query).fetchall()
        seen.connections = max(seen.connections, len(rows))
        seen.busy = max(seen.busy, sum(bool(busy) for _, busy in rows))
        seen.postgres_mb = max(seen.postgres_mb, sum(_own_mb(pid) for pid, _ in rows))


def _own_mb(pid: int) -> float:
    """Return what a process holds by itself, without the buffers that all share; 0 if nobody may know."""
    try:
        return float(psutil.Process(pid).memory_full_info().uss) / 1e6
    except psutil.Error:
        return 0.0
