"""An organisation with a long history among many others, and its owner, whose queries are explained."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.schema.nested import Statement, explaining, statements_of
from tests.schema.plans import Plan, plan_of
from tests.schema.rows import Clinic, new_clinic

HISTORY = (Path(__file__).parents[1] / "history.sql").read_text()
LARGE, SMALL, NEIGHBOURS = (48_000, 12_000), (120, 30), 400  # 120,000 calls in all
AGENTS = 300


@dataclass(frozen=True)
class Reader:
    """The owner of the organisation with the long history."""

    db: psycopg.Connection
    telling: psycopg.Connection
    clinic: Clinic

    def plan(self, query: str) -> Plan:
        return plan_of(self.db, self.clinic.users["owner"], self.clinic.org_id, query)

    def within(self, query: str, **values: Any) -> list[Statement]:
        """The statements within a function; %(org)s stands for the organisation."""
        org_id = self.clinic.org_id
        return statements_of(self.telling, self.clinic.users["owner"], org_id, query, {"org": org_id, **values})


@contextmanager
def reading(database_url: str) -> Iterator[Reader]:
    """Make the history and its neighbours, and take them away again."""
    with psycopg.connect(database_url, autocommit=True) as connection, explaining(database_url) as telling:
        clinic = new_clinic(connection)
        connection.execute(HISTORY)
        neighbours = (
            "insert into public.organizations (name) select 'Neighbour' from generate_series(1, %s) returning id"
        )
        others = [org_id for (org_id,) in connection.execute(neighbours, [NEIGHBOURS])]
        connection.execute("select pg_temp.fill(%s, %s, %s)", [clinic.org_id, *LARGE])
        connection.execute("select pg_temp.fill(org_id, %s, %s) from unnest(%s) as org_id", [*SMALL, others])
        connection.execute("select pg_temp.staff(%s, %s)", [clinic.org_id, AGENTS])
        connection.execute("select pg_temp.staff(org_id, 5) from unnest(%s) as org_id", [others])
        connection.execute("vacuum (analyze)")
        yield Reader(connection, telling, clinic)
        organizations = [clinic.org_id, *map(str, others)]
        staff = "delete from auth.users where raw_app_meta_data ->> 'org_id' = any(%s)"
        connection.execute(staff, [organizations])
        connection.execute("delete from public.organizations where id = any(%s::uuid[])", [organizations])
        connection.execute("delete from auth.users where id = any(%s::uuid[])", [list(clinic.users.values())])
