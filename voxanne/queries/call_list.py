"""The list of calls: one page of it in any order, by offset or after a given row, with the total."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from postgrest import SyncPostgrestClient

from voxanne.database import Row
from voxanne.queries.calls import LIST_COLUMNS
from voxanne.queries.results import call_row

# From this offset on, a page in date order is found through the rollups rather than by skipping rows.
DEEP_OFFSET = 1_000
SORT_KEYS = ("call_date", "id", "sort_duration", "sort_name")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class CallFilter:
    """Filters of the list of calls; None means any. Times are inclusive."""

    call_type: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str | None = None
    include_test: bool = False


@dataclass(frozen=True)
class Window:
    """Which rows of a list: `limit` of them, after `offset` others, or after the row with these `SORT_KEYS`."""

    sort: str
    limit: int
    offset: int = 0
    after: Row | None = None


@dataclass(frozen=True)
class CallPage:
    """The rows of one page and the total; a row more than the limit shows that others follow."""

    rows: list[Row]
    total: int
    total_is_estimate: bool = False


def list_calls(db: SyncPostgrestClient, org_id: str, filters: CallFilter, window: Window) -> CallPage:
    """Return one page of the list: rows with the list's columns, their `appointment` (or None) and the sort keys."""
    arguments = {
        "p_org_id": org_id,
        "p_columns": LIST_COLUMNS.split(","),
        "p_order": window.sort,
        "p_limit": window.limit + 1,
        "p_offset": window.offset,
        "p_after": window.after,
        "p_pattern": literal_pattern(filters.search) if filters.search else None,
        "p_call_type": filters.call_type,
        "p_status": filters.status,
        "p_since": filters.since.isoformat() if filters.since else None,
        "p_until": (filters.until + _MICROSECOND).isoformat() if filters.until else None,
        "p_include_test": filters.include_test,
        "p_deep": DEEP_OFFSET,
    }
    found = call_row(db, "list_calls_with_appointments", arguments)
    listed, appointments = found["list"], found["appointments"]
    rows = [{**row, "appointment": appointments.get(row["id"])} for row in listed["rows"]]
    return CallPage(rows, listed["total"], listed["total_is_estimate"])


def literal_pattern(text: str) -> str:
    """Return a Postgres regular expression that matches just this text.

    Only the characters that mean something are escaped: a backslash before a letter would mean something itself.
    """
    return re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", text)
