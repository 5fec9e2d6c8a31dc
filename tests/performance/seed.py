"""Fills the stack's database with the demo clinics, and finds the people in them."""

import os
import subprocess
import time
import uuid
from dataclasses import dataclass

import psycopg

from tests.conftest import settings_for_tests
from tests.factories import mint_token
from tests.performance.server import ROOT

DAY = 24 * 3600
_SEARCH_INDEXES = """
  select indexname, indexdef from pg_indexes
  where schemaname = 'public' and indexname in ('idx_call_logs_search', 'idx_calls_search')"""


@dataclass(frozen=True)
class Person:
    """The owner of an organisation, with a token for a day."""

    org_id: str
    user_id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def seed(*sizes: int) -> None:
    """Make one clinic for each number of calls.

    The search indexes are built afterwards, which takes a fraction of the time that keeping them row by row takes.
    """
    each = [word for number, calls in enumerate(sizes, 1) for word in ("--org-calls", f"{number}={calls}")]
    command = ["node", "supabase/local/seed/main.mjs", "--orgs", str(len(sizes)), "--calls", "0", *each]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as sql:
        definitions = sql.execute(_SEARCH_INDEXES).fetchall()
        for name, _ in definitions:
            sql.execute(f"drop index public.{name}")
        subprocess.run(command, cwd=ROOT, check=True)
        sql.execute("set maintenance_work_mem = '1GB'")
        for name, definition in definitions:
            print(f"building {name}", flush=True)
            sql.execute(definition)


def settle(sql: psycopg.Connection) -> None:
    """Bring the planner's statistics and the visibility maps to where autovacuum keeps them in a living database."""
    sql.execute("vacuum (analyze)")


def org_id_of(number: int) -> str:
    return f"a0000000-0000-0000-0000-{number:012d}"


def owner_of(sql: psycopg.Connection, org_id: str) -> Person:
    query = "select user_id from public.user_org_roles where org_id = %s and role = 'owner' limit 1"
    found = sql.execute(query, [org_id]).fetchone()
    assert found
    return person(str(next(iter(found.values())) if isinstance(found, dict) else found[0]), org_id)


def person(user_id: str, org_id: str) -> Person:
    settings = settings_for_tests()
    token = mint_token(
        settings, user_id=user_id, org_id=org_id, exp=int(time.time()) + DAY, session_id=str(uuid.uuid4())
    )
    return Person(org_id, user_id, token)
