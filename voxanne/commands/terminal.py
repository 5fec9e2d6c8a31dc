"""What maintenance commands show: progress on stderr, results on stdout, and one line for what stops them."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from postgrest.exceptions import APIError

from voxanne.errors import QUERY_CANCELED, Unauthenticated, from_database, is_unavailable


@contextmanager
def database_needed() -> Iterator[None]:
    """End the program with a sentence where the database can't be reached, or does not let it in."""
    try:
        yield
    except Exception as error:
        if isinstance(error, APIError) and _not_let_in(error):
            sys.exit("the database does not accept SUPABASE_SERVICE_ROLE_KEY")
        if isinstance(error, APIError) and error.code == QUERY_CANCELED:
            sys.exit("the database took too long; what has been done so far holds, the rest is still to be done")
        if is_unavailable(error):
            sys.exit("the database can't be reached; what has been done so far holds, the rest is still to be done")
        raise


def bar(length: int, label: str) -> Any:
    """Return a progress bar, to be used as a context; in a file or a pipe only its label shows."""
    return click.progressbar(length=length, label=label, file=sys.stderr)


def listed(counts: Mapping[str, int]) -> str:
    """Return counts by name as a phrase, "" for none."""
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _not_let_in(error: APIError) -> bool:
    # The gateway gives no code, and of an answer without a body there is the status only.
    said = "api key" in (error.message or "").lower()
    return said or str(error.code) in {"401", "403"} or isinstance(from_database(error), Unauthenticated)
