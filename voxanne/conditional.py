"""Conditional replies (ETag, 304) for what the dashboard polls: while nothing has changed, only a version is read."""

import hashlib
import time
from collections.abc import Callable

from flask import Response, jsonify, request
from postgrest import SyncPostgrestClient

from voxanne import database
from voxanne.auth import principal
from voxanne.database import Row
from voxanne.queries.calls import get_version

FRESH_SECONDS = 60
UNCHANGED = {304: None}
"""How such a reply is described beside the ordinary one."""


def reply_to_caller(load: Callable[[SyncPostgrestClient, str], Row], *, storable: bool = False) -> Response:
    """Do what `reply` does for the caller's organisation; `load` gets a client with the caller's token and the id."""
    caller = principal()
    db = database.for_principal(caller.token)
    return reply(
        caller.org_id,
        current_version=lambda: get_version(db, caller.org_id),
        load=lambda: load(db, caller.org_id),
        storable=storable,
    )


def reply(
    org_id: str, *, current_version: Callable[[], int], load: Callable[[], Row], storable: bool = False
) -> Response:
    """Answer 304 if the request's ETag still holds, else with what `load` returns, without its `version`.

    An ETag is made of organisation, address, version and minute: even where nothing has changed it holds for a minute
    at the most, since "today" and "the last 30 days" move on. `storable` lets the browser keep the reply, which it must
    to send the ETag back; never use it for patients' data.
    """
    minute = current_minute()
    known = request.if_none_match
    if known:
        tag = _tag(org_id, current_version(), minute)
        if known.contains_weak(tag):
            return _mark(Response(status=304), tag, storable=storable)
    body = load()
    response = jsonify({key: value for key, value in body.items() if key != "version"})
    return _mark(response, _tag(org_id, body["version"], minute), storable=storable)


def current_minute() -> int:
    """Return the number of this minute."""
    return int(time.time() // FRESH_SECONDS)


def _mark(response: Response, tag: str, *, storable: bool) -> Response:
    response.set_etag(tag, weak=True)
    response.vary.add("Authorization")
    if storable:
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def _tag(org_id: str, version: int, minute: int) -> str:
    parts = f"{org_id}|{request.full_path}|{version}|{minute}"
    return hashlib.sha256(parts.encode()).hexdigest()[:24]
