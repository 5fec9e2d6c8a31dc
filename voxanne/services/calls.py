"""The dashboard's calls: filters in the organisation's time zone, and rows in the shape that its pages read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import current_app
from postgrest import SyncPostgrestClient

from voxanne import database, pagination
from voxanne.auth import Principal
from voxanne.database import Row
from voxanne.pagination import Cursors
from voxanne.queries import call_list
from voxanne.queries import calls as queries
from voxanne.queries.call_list import SORT_KEYS, CallFilter, Window
from voxanne.schemas.calls import CallListQuery, NewCall
from voxanne.services import organizations, periods, recordings, transcripts

UNKNOWN = "Unknown"
NEGATIVE_BELOW, POSITIVE_ABOVE = 0.4, 0.6
HIDDEN = {"sort_name", "sort_duration", "appointment"}
APPOINTMENT = ("id", "scheduled_at", "service_type", "status")
WINDOWS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


def resolve_filter(caller: Principal, query: CallListQuery) -> CallFilter:
    """Turn the query into a filter; the organisation's time zone is loaded only if a date is involved."""
    moments = (query.date_filter, query.startDate, query.endDate)
    zone = organizations.timezone(caller) if any(moments) else ZoneInfo("UTC")
    starts = [periods.lower_bound(query.startDate, zone)]
    if query.date_filter:
        starts.append(periods.start_of(query.date_filter, zone, datetime.now(UTC)))
    return CallFilter(
        call_type=query.call_type,
        status=query.status,
        since=max((start for start in starts if start), default=None),
        until=periods.upper_bound(query.endDate, zone),
        search=query.search or None,
        include_test=query.include_test,
    )


def list_page(caller: Principal, query: CallListQuery) -> Row:
    """Return one page of `calls` as the dashboard reads them, with its `pagination`."""
    filters = resolve_filter(caller, query)
    # Of the query and not of its bounds: those of "today" move on while somebody pages through the list.
    scope = query.model_dump(exclude={"page", "limit", "cursor"})
    cursors = Cursors(current_app.config["SETTINGS"].signing_key, caller.org_id, scope)
    after = cursors.read(query.cursor) if query.cursor else None
    window = Window(query.sortBy, query.limit, 0 if after else query.offset, after)
    found = call_list.list_calls(database.for_principal(caller.token), caller.org_id, filters, window)
    rows, has_more = found.rows[: query.limit], len(found.rows) > query.limit
    link = recordings.links(caller.org_id)
    return {
        "calls": [present_row(row, link) for row in rows],
        "pagination": {
            **pagination.describe(query, found.total),
            "total_is_estimate": found.total_is_estimate,
            "has_more": has_more,
            "next_cursor": cursors.write({key: rows[-1][key] for key in SORT_KEYS}) if has_more else None,
        },
    }


def get_stats(db: SyncPostgrestClient, org_id: str, window: str | None) -> Row:
    """Return the statistics of calls in one of `WINDOWS` up to now, by default of all time, with their `version`."""
    since = datetime.now(UTC) - WINDOWS[window] if window else None
    return queries.get_stats(db, org_id, since)


def present_row(row: Row, link: Callable[[Row], str | None]) -> Row:
    """Return a row of the list with the defaults that pages rely on; `link` makes the link to its recording."""
    booked = row["appointment"] or {}
    return {
        **{key: value for key, value in row.items() if key not in HIDDEN},
        "call_direction": row["call_type"],
        "phone_number": row["phone_number"] or UNKNOWN,
        "caller_name": (row["caller_name"] or "").strip() or UNKNOWN,
        "duration_seconds": row["duration_seconds"] or 0,
        "recording_url": link(row),
        "tools_used": row["tools_used"] or [],
        "has_appointment": bool(booked),
        **{f"appointment_{name}": booked.get(name) for name in APPOINTMENT},
    }


def present_detail(org_id: str, row: Row) -> Row:
    """Return a call in full, with the same defaults and its transcript as segments."""
    return {
        **present_row(row, recordings.links(org_id)),
        "transcript": transcripts.segments(row["transcript"]),
        "action_items": transcripts.sentences(row["action_items"]),
    }


def to_row(call: NewCall) -> Row:
    """Return the columns of a new call; its sentiment label follows from the score."""
    return {**call.model_dump(mode="json", exclude_none=True), "sentiment_label": label(call.sentiment_score)}


def label(score: float | None) -> str | None:
    """Return the label of a sentiment score from 0 to 1."""
    if score is None:
        return None
    if score < NEGATIVE_BELOW:
        return "negative"
    return "positive" if score > POSITIVE_ABOVE else "neutral"
