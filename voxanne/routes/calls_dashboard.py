"""The calls dashboard: list, statistics, detail, recording, and storing and deleting calls."""

import functools

from flask import Blueprint, Response, current_app, jsonify

from voxanne import database
from voxanne.auth import Role, principal, require_role
from voxanne.conditional import UNCHANGED, reply_to_caller
from voxanne.errors import NotFound
from voxanne.openapi import describe
from voxanne.queries import calls as queries
from voxanne.schemas.calls import (
    CallDetail,
    CallListQuery,
    CallPage,
    CallStats,
    CallSummary,
    CreatedCall,
    NewCall,
    RecordingLink,
    StatsQuery,
)
from voxanne.schemas.common import Done
from voxanne.services import calls, recordings
from voxanne.services.idempotency import create_once

bp = Blueprint("calls_dashboard", __name__, url_prefix="/api/calls-dashboard")


@bp.get("")
@describe("Calls", CallPage)
def list_calls(query: CallListQuery) -> Response:
    """List calls of one type or of both, a page at a time."""
    return jsonify(calls.list_page(principal(), query))


@bp.get("/stats")
@describe("Calls", CallStats, replies=UNCHANGED)
def get_stats(query: StatsQuery) -> Response:
    """Return the numbers on top of the dashboard, with the five newest calls.

    304 if the ETag that the request sends still holds, which it does for a minute at the most.
    """
    return reply_to_caller(lambda db, org_id: calls.get_stats(db, org_id, query.timeWindow))


@bp.get("/analytics/summary")
@describe("Calls", CallSummary, replies=UNCHANGED)
def get_summary() -> Response:
    """Return the numbers above the list of calls; days are in the organisation's time zone.

    304 if the ETag that the request sends still holds, which it does for a minute at the most.
    """
    return reply_to_caller(queries.get_summary, storable=True)


@bp.get("/<uuid:call_id>")
@describe("Calls", CallDetail, errors=(404,))
def get_call(call_id: str) -> Response:
    """Return everything about one call, its transcript included."""
    caller = principal()
    row = queries.get_call(database.for_principal(caller.token), caller.org_id, call_id)
    if row is None:
        raise NotFound("call")
    return jsonify(calls.present_detail(caller.org_id, row))


@bp.get("/<uuid:call_id>/recording-url")
@describe("Calls", RecordingLink, errors=(404,))
def get_recording_url(call_id: str) -> Response:
    """Return a link to the recording that works for a while."""
    caller = principal()
    db = database.for_principal(caller.token)
    row = queries.get_call(db, caller.org_id, call_id, queries.RECORDING_COLUMNS)
    if row is None:
        raise NotFound("call")
    url, source = recordings.signed_url(caller.org_id, row)
    seconds = current_app.config["SETTINGS"].recording_url_expiry_seconds
    return jsonify(recording_url=url, expires_in=seconds, source=source)


@bp.post("")
@describe("Calls", CreatedCall, status=201, errors=(409, 413, 415))
@require_role(Role.AGENT)
def create_call(json: NewCall) -> tuple[Response, int]:
    """Store an outbound call.

    A repeat under the same X-Request-ID stores nothing and returns the call of the first time.
    """
    caller = principal()
    db = database.for_principal(caller.token)
    row = create_once(
        scope=f"call:{caller.org_id}:{caller.user_id}",
        values=calls.to_row(json),
        insert=functools.partial(queries.create_outbound_call, db, caller.org_id),
        find=functools.partial(queries.get_call, db, caller.org_id, columns=queries.STORED_COLUMNS),
    )
    return jsonify(id=row["id"], call=row), 201


@bp.delete("/<uuid:call_id>")
@describe("Calls", Done, errors=(404,))
@require_role(Role.AGENT)
def delete_call(call_id: str) -> Response:
    """Delete a call; deleting it again succeeds."""
    caller = principal()
    if not queries.delete_call(database.for_principal(caller.token), caller.org_id, call_id):
        raise NotFound("call")
    return jsonify(success=True)
