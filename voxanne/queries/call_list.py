"""The list of calls: one page of the feed in any order, by the page's number or after a row, with its total."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from postgrest import SyncPostgrestClient

from voxanne import database
from voxanne.database import Row
from voxanne.queries.calls import FEED, LIST_COLUMNS

# From here on a page in date order is found through the rollups rather than by counting off the rows before it.
DEEP_OFFSET = 1_000
SORT_KEYS = ("call_date", "id", "sort_duration", "sort_name")
_MICROSECOND = timedelta(microseconds=1)

# Each order ends with the date and the id, so that ties keep their place from page to page. True: descending.
ORDERS: dict[str, tuple[tuple[str, bool], ...]] = {
    "date": (("call_date", True), ("id", True)),
    "duration": (("sort_duration", True), ("call_date", True), ("id", True)),
    "name": (("sort_name", False), ("call_date", True), ("id", True)),
}


@dataclass(frozen=True)
class CallFilter:
    """What a list of calls is narrowed to; None means not at all. Times are inclusive."""

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
    """The rows of one page, up to one more than asked for so that it shows whether others follow; and the total."""

    rows: list[Row]
    total: int
    total_is_estimate: bool = False


def list_calls(db: SyncPostgrestClient, org_id: str, narrowed: CallFilter, window: Window) -> CallPage:
    """Return one page of the list: rows with the list's columns and the sort keys."""
    if narrowed.search:
        return _search(db, org_id, narrowed, window)
    if window.after is None and window.offset >= DEEP_OFFSET:
        return _deep_page(db, org_id, narrowed, window)
    rows, total = database.together(
        lambda: _rows(db, org_id, narrowed, window),
        lambda: _count(db, org_id, narrowed),
    )
    return CallPage(rows, total)


def _rows(
    db: SyncPostgrestClient, org_id: str, narrowed: CallFilter, window: Window, before: str | None = None
) -> list[Row]:
    query: Any = db.from_(FEED).select(f"{LIST_COLUMNS},sort_duration,sort_name").eq("org_id", org_id)
    query = _narrow(query, narrowed)
    if before:
        query = query.lt("call_date", before)
    if window.after:
        query = _after(query, window.sort, window.after)
    for column, descending in ORDERS[window.sort]:
        query = query.order(column, desc=descending)
    return cast(list[Row], query.range(window.offset, window.offset + window.limit).execute().data)


def _count(db: SyncPostgrestClient, org_id: str, narrowed: CallFilter) -> int:
    return cast(int, db.rpc("count_calls", _parameters(org_id, narrowed)).execute().data)


def _deep_page(db: SyncPostgrestClient, org_id: str, narrowed: CallFilter, window: Window) -> CallPage:
    if window.sort != "date":
        total = _count(db, org_id, narrowed)
        return CallPage(_rows(db, org_id, narrowed, window) if window.offset < total else [], total)
    start, total = database.together(
        lambda: _page_start(db, org_id, narrowed, window.offset),
        lambda: _count(db, org_id, narrowed),
    )
    if start is None:
        return CallPage([], total)
    near = Window(window.sort, window.limit, offset=window.offset - start["skipped"])
    return CallPage(_rows(db, org_id, narrowed, near, before=start["before"]), total)


def _page_start(db: SyncPostgrestClient, org_id: str, narrowed: CallFilter, offset: int) -> Row | None:
    parameters: Any = {**_parameters(org_id, narrowed), "p_offset": offset}
    rows = db.rpc("call_page_start", parameters).execute().data
    return cast(list[Row], rows)[0] if rows else None


def _search(db: SyncPostgrestClient, org_id: str, narrowed: CallFilter, window: Window) -> CallPage:
    parameters: Any = {
        **_parameters(org_id, narrowed),
        "p_pattern": literal_pattern(narrowed.search or ""),
        "p_columns": LIST_COLUMNS.split(","),
        "p_order": window.sort,
        "p_limit": window.limit + 1,
        "p_offset": window.offset,
        "p_after": window.after,
    }
    found = cast(Row, db.rpc("search_calls", parameters).execute().data)
    return CallPage(found["rows"], found["total"], found["total_is_estimate"])


def _parameters(org_id: str, narrowed: CallFilter) -> Any:
    return {
        "p_org_id": org_id,
        "p_call_type": narrowed.call_type,
        "p_status": narrowed.status,
        "p_since": narrowed.since.isoformat() if narrowed.since else None,
        "p_until": (narrowed.until + _MICROSECOND).isoformat() if narrowed.until else None,
        "p_include_test": narrowed.include_test,
    }


def _narrow(query: Any, narrowed: CallFilter) -> Any:
    if not narrowed.include_test:
        query = query.eq("is_test_call", "false")
    if narrowed.call_type:
        query = query.eq("call_type", narrowed.call_type)
    if narrowed.status:
        query = query.eq("status", narrowed.status)
    if narrowed.since:
        query = query.gte("call_date", narrowed.since.isoformat())
    if narrowed.until:
        query = query.lte("call_date", narrowed.until.isoformat())
    return query


def _after(query: Any, sort: str, last: Row) -> Any:
    """Keep what comes after a row; the first bound is redundant, and what lets an index find the place (facts.md)."""
    date, row_id = _quoted(last["call_date"]), _quoted(last["id"])
    older = f"call_date.lt.{date},and(call_date.eq.{date},id.lt.{row_id})"
    if sort == "date":
        return query.lte("call_date", last["call_date"]).or_(older)
    column, comparison = ("sort_duration", "lt") if sort == "duration" else ("sort_name", "gt")
    value = _quoted(last[column])
    query = query.filter(column, f"{comparison}e", last[column])
    return query.or_(f"{column}.{comparison}.{value},and({column}.eq.{value},or({older}))")


def _quoted(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal_pattern(text: str) -> str:
    """Return a Postgres regular expression that matches just this text.

    Only the characters that mean something are escaped: a backslash before a letter would mean something itself.
    """
    return re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", text)
