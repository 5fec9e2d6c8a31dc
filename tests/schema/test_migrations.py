"""All migrations, applied by the real CLI: to nothing, and to a database that is in use."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.schema.cli import MIGRATIONS, SUPABASE, Cli
from tests.schema.rows import Clinic, full_clinic, insert, new_clinic

CONCURRENTLY = re.compile(
    r"create (?:unique )?index concurrently if not exists \w+\s+on public\.\w+ [^;]+;"
    r"|drop index concurrently if exists public\.\w+;"
)
# The rows go in once every table that was there in the first release is; what comes later must take them as they are.
IN_USE = next(index for index, name in enumerate(MIGRATIONS) if name.endswith("_functions.sql"))
BEFORE_CLAIMS = next(index for index, name in enumerate(MIGRATIONS) if name.endswith("_provider_claims.sql"))

BOOTSTRAP = {"roles.sql": "supabase_admin", "auth.sql": "supabase_auth_admin", "storage.sql": "supabase_storage_admin"}


def address(database_url: str, database: str, role: str = "postgres") -> str:
    parts = urlsplit(database_url)
    return urlunsplit(
        parts._replace(netloc=f"{role}:{parts.password}@{parts.hostname}:{parts.port}", path=f"/{database}")
    )


@pytest.fixture
def empty_database(database_url: str) -> Iterator[str]:
    """A database as a new project has it."""
    name = f"schema_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"create database {name}")
        try:
            for script, role in BOOTSTRAP.items():
                with psycopg.connect(address(database_url, name, role)) as database:
                    database.execute((SUPABASE / "local" / "bootstrap" / script).read_bytes())
            server.execute(f"alter database {name} set search_path = '$user', public, extensions")
            yield address(database_url, name)
        finally:
            server.execute(f"drop database {name} with (force)")


@pytest.fixture
def without_storage(empty_database: str, database_url: str) -> str:
    """A database beside which no storage service runs."""
    with psycopg.connect(address(database_url, urlsplit(empty_database).path[1:], "supabase_admin")) as database:
        database.execute("drop schema storage cascade")
    return empty_database


def contents(database: psycopg.Connection) -> dict[str, int]:
    """Rows per table of ours."""
    query = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"
    tables = [name for (name,) in database.execute(query)]
    return {table: len(database.execute(f"select from public.{table}").fetchall()) for table in tables}


def test_an_empty_database_takes_them_and_a_repeat_changes_nothing(empty_database: str, tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    cli.push(empty_database, MIGRATIONS)
    with psycopg.connect(empty_database) as database:
        applied = database.execute("select version from supabase_migrations.schema_migrations order by 1").fetchall()
        assert set(contents(database).values()) == {0}
    assert [version for (version,) in applied] == [name.split("_")[0] for name in MIGRATIONS]
    assert "up to date" in cli.push(empty_database, MIGRATIONS)


def test_they_need_no_storage_service(without_storage: str, tmp_path: Path) -> None:
    Cli(tmp_path).push(without_storage, MIGRATIONS)


def test_the_bucket_for_recordings_is_private(db: psycopg.Connection) -> None:
    assert db.execute("select public from storage.buckets where id = 'call-recordings'").fetchone() == (False,)


@pytest.mark.parametrize("landed", [IN_USE, BEFORE_CLAIMS])
def test_a_database_in_use_keeps_its_rows(empty_database: str, tmp_path: Path, landed: int) -> None:
    cli = Cli(tmp_path)
    cli.push(empty_database, MIGRATIONS[:landed])
    with psycopg.connect(empty_database) as database:
        full_clinic(database)
        before = contents(database)
    cli.push(empty_database, MIGRATIONS)
    with psycopg.connect(empty_database) as database:
        after = contents(database)
        invalid = database.execute("select indexrelid::regclass::text from pg_index where not indisvalid").fetchall()
        counted = database.execute("select sum(calls) from call_rollups where grain = 'month'").fetchone()
        drift = database.execute("select * from rollup_drift()").fetchall()
    assert {table: after[table] for table in before} == before
    assert all(before.values())
    assert invalid == []
    assert counted == (before["call_logs"] + before["calls"],)
    assert drift == []


TABLES_OF_IDS = ("agents", "inbound_agent_config", "outbound_agent_config", "integration_settings")


def ids_of(database: psycopg.Connection, clinic: Clinic, column: str) -> set[str | None]:
    found = set()
    for table in TABLES_OF_IDS:
        found |= {
            value for (value,) in database.execute(f"select {column} from {table} where org_id = %s", [clinic.org_id])
        }
    return found


def test_ids_that_several_organisations_name_go_to_one_of_them(empty_database: str, tmp_path: Path) -> None:
    """To the one that the mapping names, else to the oldest; the others find what they lost in their audit log."""
    cli = Cli(tmp_path)
    cli.push(empty_database, MIGRATIONS[:BEFORE_CLAIMS])
    with psycopg.connect(empty_database) as database:
        oldest, mapped, newest = (new_clinic(database, created_at=f"2025-0{month}-01") for month in (1, 2, 3))
        for clinic in (newest, mapped, oldest):
            for table in TABLES_OF_IDS:
                more = {"role": "inbound", "name": "Eve"} if table == "agents" else {}
                ids = {"vapi_phone_number_id": "phone-1"}
                if table != "agents":
                    ids["vapi_assistant_id"] = "assistant-1"
                insert(database, table, {"org_id": clinic.org_id, **more, **ids})
        for clinic, number in ((oldest, "+14155550001"), (mapped, "+14155550002"), (newest, "+14155550002")):
            change = "update integration_settings set twilio_from_number = %s where org_id = %s"
            database.execute(change, [number, clinic.org_id])
        mapping = {"inbound_phone_number": "+14155550003", "vapi_phone_number_id": "phone-1"}
        insert(database, "phone_number_mapping", {"org_id": mapped.org_id, **mapping})
        wrong = {"provider": "vapi", "encrypted_config": "{}", "metadata": {"masked": "text", "kept": True}}
        insert(database, "org_credentials", {"org_id": oldest.org_id, **wrong})

    cli.push(empty_database, MIGRATIONS)

    with psycopg.connect(empty_database) as database:
        phones = [ids_of(database, clinic, "vapi_phone_number_id") for clinic in (oldest, mapped, newest)]
        assistants = [ids_of(database, clinic, "vapi_assistant_id") for clinic in (oldest, mapped, newest)]
        lost = database.execute("select org_id::text, entity_type, entity_id from audit_logs").fetchall()
        mappings = database.execute(
            "select org_id::text, inbound_phone_number, vapi_phone_number_id from phone_number_mapping order by 2"
        ).fetchall()
        metadata = database.execute("select metadata from org_credentials").fetchall()
        unfinished = database.execute(
            "select conname from pg_constraint where not convalidated "
            "union all select indexrelid::regclass::text from pg_index where not indisvalid"
        ).fetchall()
    assert phones == [{None}, {"phone-1"}, {None}]
    assert assistants == [{None, "assistant-1"}, {None}, {None}]
    assert set(lost) == {
        (oldest.org_id, "phone", "phone-1"), (newest.org_id, "phone", "phone-1"),
        (mapped.org_id, "assistant", "assistant-1"), (newest.org_id, "assistant", "assistant-1"),
    }  # fmt: skip
    assert mappings == [(oldest.org_id, "+14155550001", None), (mapped.org_id, "+14155550003", "phone-1")]
    assert metadata == [({"kept": True},)]
    assert unfinished == []


def test_the_lints_of_supabase_find_nothing(database_url: str, tmp_path: Path) -> None:
    Cli(tmp_path).run("db", "advisors", "--db-url", database_url, "--level", "warn", "--fail-on", "warn")


def test_the_lints_of_supabase_would_find_something(empty_database: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_database) as database:
        database.execute("create table public.open_to_all (id int)")
        database.execute("grant select on public.open_to_all to anon")
    with pytest.raises(AssertionError, match="open_to_all"):
        Cli(tmp_path).run("db", "advisors", "--db-url", empty_database, "--level", "warn", "--fail-on", "warn")


# What maintenance reads of all organisations at once.
ACROSS = {
    "idx_webhook_dead_letters_replayed", "idx_call_logs_unfinished", "idx_calls_unfinished",
    "idx_integration_settings_twilio_account",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in MIGRATIONS if name.endswith("_indexes.sql")])
def test_files_that_build_indexes_concurrently_hold_nothing_else(name: str) -> None:
    text = (SUPABASE / "migrations" / name).read_text()
    statements = re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    assert CONCURRENTLY.sub("", statements).strip() == ""
    assert "org_id is not null" not in statements
    # What is unique over all organisations cannot begin with one.
    for_reading = re.sub(r"create unique index [^;]+;", "", statements)
    indexed = re.findall(r"exists (\w+)\s+on public\.\w+ (?:using gin )?\((.*)", for_reading)
    assert len(indexed) == for_reading.count("create index")
    assert all(columns.startswith(("org_id,", "(org_id::text),")) for index, columns in indexed if index not in ACROSS)


NAMED = (
    "idx_call_logs_org_phone_created",
    "idx_appointments_org_contact_scheduled",
    "idx_appointments_org_status_scheduled",
    "idx_messages_org_contact_method",
    "idx_services_org_created",
)


def test_the_five_named_indexes_are_built(db: psycopg.Connection) -> None:
    query = "select indexname from pg_indexes where schemaname = 'public' and indexname = any(%s)"
    assert {name for (name,) in db.execute(query, [list(NAMED)])} == set(NAMED)


def test_every_foreign_key_has_an_index(db: psycopg.Connection) -> None:
    unindexed = """
        select conrelid::regclass::text, conname from pg_constraint as key
        where contype = 'f' and connamespace = 'public'::regnamespace and not exists (
          select from pg_index
          where indrelid = conrelid
            and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
            and (indkey::int2[])[0:cardinality(conkey) - 1] <@ conkey
            and (indpred is null or pg_get_expr(indpred, indrelid) ~ 'IS NOT NULL'))
    """
    assert db.execute(unindexed).fetchall() == []
