"""What PostgREST answers with, typed: its library calls every answer "some JSON"."""

from typing import Any, cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function


def rows(query: Any) -> list[Row]:
    """Send a query and return its rows."""
    return cast(list[Row], query.execute().data)


def first(query: Any) -> Row | None:
    """Send a query and return its first row, or None if there is none."""
    return next(iter(rows(query)), None)


def count(query: Any) -> int:
    """Send a select that asks for the exact count, and return that."""
    return query.execute().count or 0


def call_row(db: SyncPostgrestClient, function: str, arguments: Row) -> Row:
    """Call a database function that returns one JSON object."""
    return cast(Row, call_function(db, function, arguments))


def call_rows(db: SyncPostgrestClient, function: str, arguments: Row) -> list[Row]:
    """Call a database function that returns a list of JSON objects."""
    return cast(list[Row], call_function(db, function, arguments))
