"""The plans of the statements inside a function, as they really run: Postgres itself reports them (auto_explain)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.schema.caller import acting
from tests.schema.plans import Plan

SUPERUSER = "supabase_admin"
_SETTINGS = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "client_min_messages": "log",
    "plan_cache_mode": "force_custom_plan",  # as PostgREST's sessions have it
}


@dataclass(frozen=True)
class Statement:
    """One statement that ran, and its plan."""

    text: str
    plan: Plan


@contextmanager
def explaining(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection whose statements tell their plans; only a superuser may have that."""
    url = database_url.replace("//postgres:", f"//{SUPERUSER}:")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("load 'auto_explain'")
        for name, value in _SETTINGS.items():
            db.execute("select set_config(%s, %s, false)", [name, value])
        yield db


def statements_of(
    db: psycopg.Connection,
    user_id: str | None,
    org_id: str | None,
    query: str,
    values: Any = None,
    *,
    role: str = "authenticated",
) -> list[Statement]:
    """Run a query in the caller's place; returns the statements within its functions, as they ended."""
    found: list[Statement] = []

    def note(notice: psycopg.errors.Diagnostic) -> None:
        _, begins, explained = (notice.message_primary or "").partition("plan:\n")
        if begins:
            told = json.loads(explained)
            plan = Plan()
            plan.add(told["Plan"])
            found.append(Statement(told["Query Text"], plan))

    with acting(db, user_id, org_id, role):
        db.add_notice_handler(note)
        try:
            db.execute(query, values, prepare=False)
        finally:
            db.remove_notice_handler(note)
    return found
