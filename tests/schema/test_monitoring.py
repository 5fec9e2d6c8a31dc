"""What the database tells of itself: where pg_stat_statements is missing it says so, and the migration applies."""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.schema.cli import MIGRATIONS, SUPABASE
from tests.schema.test_migrations import address, empty_database  # noqa: F401 -- a fixture

MIGRATION = next(name for name in MIGRATIONS if name.endswith("_monitoring.sql"))
ASK = "select public.slow_queries(100, 20)"


@pytest.fixture
def superuser(database_url: str, empty_database: str) -> Iterator[psycopg.Connection]:  # noqa: F811
    name = urlsplit(empty_database).path[1:]
    with psycopg.connect(address(database_url, name, "supabase_admin"), autocommit=True) as connection:
        yield connection
    # The backend outlives its client by a moment, and only a superuser could end it.
    left = "select count(*) from pg_stat_activity where datname = %s and usename = 'supabase_admin'"
    with psycopg.connect(database_url, autocommit=True) as server:
        while server.execute(left, [name]).fetchone() != (0,):
            time.sleep(0.02)


def migrate(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute((SUPABASE / "migrations" / MIGRATION).read_bytes())


def answer(database_url: str, question: str = ASK) -> dict:
    with psycopg.connect(database_url) as database:
        database.execute("set role service_role")
        row = database.execute(question).fetchone()
    assert row
    return row[0]


def test_without_the_extension_it_applies_and_says_so(superuser: psycopg.Connection, empty_database: str) -> None:  # noqa: F811
    superuser.execute("drop extension pg_stat_statements")

    migrate(empty_database)

    assert answer(empty_database) == {"missing": "not installed"}


def test_in_another_schema_it_is_found(superuser: psycopg.Connection, empty_database: str) -> None:  # noqa: F811
    superuser.execute("alter extension pg_stat_statements set schema public")
    migrate(empty_database)

    assert answer(empty_database)["statements"] > 0


def test_without_its_library_it_applies_and_says_so(superuser: psycopg.Connection, empty_database: str) -> None:  # noqa: F811
    """The error is the library's own (55000, object_not_in_prerequisite_state), raised in its place."""
    superuser.execute("create schema broken")
    superuser.execute("alter extension pg_stat_statements drop view extensions.pg_stat_statements")
    superuser.execute("drop view extensions.pg_stat_statements")
    superuser.execute(
        "create function broken.refuse() returns boolean language plpgsql as "
        "$$ begin raise sqlstate '55000' using message = 'must be loaded via shared_preload_libraries'; end $$"
    )
    superuser.execute(
        "create view extensions.pg_stat_statements as select * from extensions.pg_stat_statements(true) "
        "where broken.refuse()"
    )
    superuser.execute(
        "grant usage on schema broken to postgres; grant select on extensions.pg_stat_statements to public"
    )

    migrate(empty_database)

    assert answer(empty_database) == {"missing": "not loaded"}


def test_the_state_is_told_of_any_database(empty_database: str) -> None:  # noqa: F811
    migrate(empty_database)

    state = answer(empty_database, "select public.database_state()")
    assert (state["tables"], state["unused_indexes"]) == ([], [])
    assert state["size_bytes"] > 0
    assert set(answer(empty_database, "select public.database_gauges()")) == {
        "size_bytes", "connections", "connections_limit",
    }  # fmt: skip


@pytest.mark.parametrize("function", ["slow_queries(double precision, int)", "database_state()", "database_gauges()"])
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_nobody_but_the_server_may_ask(db: psycopg.Connection, function: str, role: str) -> None:
    held = "select has_function_privilege(%s, %s, 'execute'), has_function_privilege('service_role', %s, 'execute')"

    assert db.execute(held, [role, f"public.{function}", f"public.{function}"]).fetchone() == (False, True)
