"""flask rollups check, rebuild."""

import threading
import uuid
from unittest.mock import Mock

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from postgrest.exceptions import APIError

from tests.conftest import settings_for_tests
from tests.factories import Factory
from voxanne import create_app


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["rollups", *words])


def spoiled(factory: Factory) -> str:
    """An organisation whose kept counts are wrong."""
    org_id = factory.org()
    factory.call(org_id)
    factory.insert("public.contacts", org_id=org_id, name="Ann", phone="+14155550123", lead_status="hot")
    factory.sql.execute("update public.record_counts set records = 7 where org_id = %s", [org_id])
    return org_id


def test_what_has_drifted_is_listed_and_counted_anew(factory: Factory) -> None:
    org_id = spoiled(factory)

    found = run(factory.app, "check", "--org", org_id)
    rebuilt = run(factory.app, "rebuild", "--org", org_id)
    after = run(factory.app, "check", "--org", org_id)

    assert found.exit_code == 1
    assert f"organisation {org_id}: record_counts (contact, hot): kept 7, counted 1" in found.output
    assert "1 counts have drifted" in found.output
    assert rebuilt.exit_code == 0
    assert "of 1 organisations" in rebuilt.output
    assert (after.exit_code, "nothing has drifted" in after.output) == (0, True)


def test_of_more_than_can_be_told_it_says_so(factory: Factory, monkeypatch) -> None:
    org_id = spoiled(factory)
    factory.sql.execute("update public.record_counts set records = records + 7 where org_id = %s", [org_id])
    factory.sql.execute("delete from public.call_rollups where org_id = %s", [org_id])
    monkeypatch.setattr("voxanne.queries.rollups.MOST_DRIFT", 2)

    found = run(factory.app, "check", "--org", org_id)

    assert found.output.count(f"organisation {org_id}") == 2
    assert "at least 2 counts have drifted" in found.output


def test_all_organisations_are_walked_through_however_many_there_are(factory: Factory, monkeypatch) -> None:
    monkeypatch.setattr("voxanne.commands.counts.BATCH", 2)
    orgs = [spoiled(factory) for _ in range(5)]

    found = run(factory.app, "check")
    assert all(org_id in found.output for org_id in orgs)
    assert run(factory.app, "rebuild").exit_code == 0
    assert all(run(factory.app, "check", "--org", org_id).exit_code == 0 for org_id in orgs)


def test_the_next_reader_sees_the_new_counts(factory: Factory) -> None:
    caller = factory.member(spoiled(factory))
    assert caller.get("/api/contacts/stats").json["hot_leads"] == 7

    run(factory.app, "rebuild", "--org", caller.org_id)

    assert caller.get("/api/contacts/stats").json["hot_leads"] == 1


def test_an_organisation_that_is_not_there_is_told(factory: Factory) -> None:
    for word in ("check", "rebuild"):
        result = run(factory.app, word, "--org", str(uuid.uuid4()))
        assert (result.exit_code, "there is no such organisation" in result.output) == (1, True)


def test_without_the_database_it_ends_with_a_sentence() -> None:
    result = run(create_app(settings_for_tests(supabase_url="http://127.0.0.1:1")), "check")

    assert isinstance(result.exception, SystemExit)
    assert "the database can't be reached" in result.output


def test_a_recount_that_takes_too_long_is_told_as_such(factory: Factory, monkeypatch) -> None:
    error = APIError({"code": "57014", "message": "canceling statement due to statement timeout"})
    monkeypatch.setattr("voxanne.queries.rollups.rebuild", Mock(side_effect=error))

    assert "the database took too long" in run(factory.app, "rebuild", "--org", factory.org()).output


def test_a_recount_may_take_longer_than_a_request(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    factory.call(org_id)
    app = create_app(settings_for_tests(supabase_timeout_seconds=1.0))
    with sql.transaction():
        sql.execute("select 1 from public.call_versions where org_id = %s for update", [org_id])
        ended: list[Result] = []
        rebuilding = threading.Thread(target=lambda: ended.append(run(app, "rebuild", "--org", org_id)))
        rebuilding.start()
        rebuilding.join(2)
        assert rebuilding.is_alive()
    rebuilding.join(60)
    assert ended[0].exit_code == 0, ended[0].output


@pytest.mark.parametrize("function", ["rollup_drift(uuid)", "rebuild_rollups(uuid)"])
def test_a_recount_has_five_minutes_in_the_database(sql: psycopg.Connection, function: str) -> None:
    row = sql.execute("select proconfig from pg_proc where oid = %s::regprocedure", [f"public.{function}"]).fetchone()

    assert row
    assert "statement_timeout=5min" in row["proconfig"]
