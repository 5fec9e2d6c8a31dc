"""Acts on the database as PostgREST does for a caller: one of its roles, and the claims of a token."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

Outcome = int | str


@contextmanager
def acting(
    db: psycopg.Connection, user_id: str | None, org_id: str | None, role: str = "authenticated"
) -> Iterator[None]:
    """Within the block, run statements as this caller; an error ends the block and leaves the transaction usable."""
    claims = {"sub": user_id, "role": role, "app_metadata": {"org_id": org_id}}
    with db.transaction():
        db.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
            [role, json.dumps(claims)],
        )
        yield
        db.execute("select set_config('role', 'postgres', true), set_config('request.jwt.claims', '', true)")


def attempt(
    db: psycopg.Connection, who: tuple[str | None, str | None, str], statement: str, values: Any = None
) -> Outcome:
    """Try a statement as `who` and undo it; returns the number of rows it touched, or the code of its error."""
    touched: Outcome = 0
    try:
        with db.transaction(force_rollback=True), acting(db, *who):
            touched = db.execute(statement, values).rowcount
    except psycopg.Error as error:
        touched = str(error.sqlstate)
    return touched
