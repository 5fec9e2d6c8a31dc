"""Our functions as a class: fixed search path, no more callers than needed."""

import psycopg
import pytest

from tests.schema import catalog

TRIGGERS = "prorettype = 'trigger'::regtype"
OURS = "pronamespace = 'public'::regnamespace"


@pytest.mark.parametrize("function", catalog.functions())
def test_its_search_path_is_pinned_and_anonymous_callers_cannot_run_it(db: psycopg.Connection, function: str) -> None:
    query = "select proconfig, has_function_privilege('anon', oid, 'execute') from pg_proc where oid = %s::regprocedure"
    settings, anonymous = db.execute(query, [function]).fetchone() or (None, None)
    assert any(setting.startswith("search_path=") for setting in settings or [])
    assert not anonymous


def test_what_runs_as_its_owner_asks_who_is_calling(db: psycopg.Connection) -> None:
    careless = f"""
        select oid::regprocedure::text from pg_proc
        where {OURS} and prosecdef and has_function_privilege('authenticated', oid, 'execute')
          and prosrc !~ 'auth_org_id\\(|auth_role_rank\\(|auth\\.uid\\('
    """
    assert db.execute(careless).fetchall() == []


def test_triggers_cannot_be_called(db: psycopg.Connection) -> None:
    callable_triggers = f"""
        select oid::regprocedure::text from pg_proc
        where {OURS} and {TRIGGERS} and has_function_privilege('authenticated', oid, 'execute')
    """
    assert db.execute(callable_triggers).fetchall() == []


@pytest.mark.parametrize("function", ["join_organization(uuid, text, uuid, text)", "database_size_bytes()"])
def test_what_only_the_server_does_is_closed_to_callers(db: psycopg.Connection, function: str) -> None:
    held = "select has_function_privilege('authenticated', %s, 'execute')"
    assert db.execute(held, [f"public.{function}"]).fetchone() == (False,)
