"""Waiting, in a test of a race, until the others stand where they should: behind a lock."""

import time
from typing import Any

import psycopg

PATIENCE_SECONDS = 60
# Who waits for that session, or for one that waits for it; autovacuum and other tests' sessions wait as well at times.
BEHIND = """
with recursive behind (pid) as (
  select %s::int
  union
  select waiting.pid from pg_stat_activity as waiting join behind on behind.pid = any (pg_blocking_pids(waiting.pid))
)
select count(*) - 1 as number from behind
"""


def wait_until_blocked(observer: psycopg.Connection[Any], holder: psycopg.Connection[Any], number: int = 1) -> None:
    """Return once that many sessions wait for the holder to end its transaction."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with observer.cursor(row_factory=psycopg.rows.scalar_row) as cursor:
        while cursor.execute(BEHIND, [holder.info.backend_pid]).fetchone() < number:
            assert time.monotonic() < deadline, f"{number} should wait for the lock"
            time.sleep(0.01)
