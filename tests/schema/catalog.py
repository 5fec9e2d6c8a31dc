"""What the database says of itself, so that a new table or function is tested without anyone's thinking of it."""

import os

import psycopg


def names(query: str) -> list[str]:
    """Return the first column of a query, sorted."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return sorted(row[0] for row in connection.execute(query))


def tables() -> list[str]:
    return names("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')")


def views() -> list[str]:
    return names("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')")


def sequences() -> list[str]:
    return names("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S'")


def functions() -> list[str]:
    """Functions of our own, not those of an extension."""
    return names(
        "select oid::regprocedure::text from pg_proc where pronamespace = 'public'::regnamespace "
        "and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')"
    )
