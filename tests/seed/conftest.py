"""Runs the seed on the tests' database and takes its clinics away again afterwards."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

SEED = Path(__file__).parents[2] / "supabase" / "local" / "seed" / "main.mjs"
NOW = "2026-03-18T15:00:00Z"
CALLS = 700
TWO_CLINICS = ("--orgs", "2", "--calls", str(CALLS), "--members", "3")
ORG_IDS = [f"a0000000-0000-0000-0000-{number:012}" for number in (1, 2)]
TABLES = [
    *("services", "agents", "inbound_agent_config", "outbound_agent_config", "assistant_org_mapping"),
    *("phone_number_mapping", "integration_settings", "escalation_rules", "contacts", "call_logs", "calls"),
    *("appointments", "messages", "hot_lead_alerts", "notifications"),
]


def seed_command(*args: str) -> list[str]:
    return ["node", str(SEED), "--now", NOW, *args]


def run_seed(*args: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **env}
    return subprocess.run(
        seed_command(*args), check=check, capture_output=True, text=True, env=environment, timeout=120
    )


def digests(sql: psycopg.Connection, org_id: str) -> dict[str, str]:
    """For each table a number of rows and a hash of them all, the order left aside."""
    rows = "select t::text as r from {} t where org_id = %s"
    query = f"select count(*) || ' ' || md5(coalesce(string_agg(r, '' order by r), '')) as digest from ({rows}) s"
    return {table: sql.execute(query.format(table), [org_id]).fetchone()["digest"] for table in TABLES}


def remove_clinics(sql: psycopg.Connection) -> None:
    sql.execute("delete from organizations where id = any(%s::uuid[])", [ORG_IDS])
    sql.execute("delete from auth.users where email like '%%@clinic-0_.example'")


def all_digests(sql: psycopg.Connection) -> list[dict[str, str]]:
    return [digests(sql, org_id) for org_id in ORG_IDS]


@pytest.fixture(scope="package")
def clinics(sql: psycopg.Connection) -> Iterator[list[str]]:
    """The ids of clinics 01 and 02, filled with CALLS calls each."""
    run_seed(*TWO_CLINICS, "--replace")
    yield ORG_IDS
    remove_clinics(sql)


@pytest.fixture
def before(sql: psycopg.Connection, clinics: list[str]) -> Iterator[list[dict[str, str]]]:
    """The digests of both clinics, which are put back if the test has changed anything."""
    digests_before = all_digests(sql)
    yield digests_before
    if all_digests(sql) != digests_before:
        run_seed(*TWO_CLINICS, "--replace")
