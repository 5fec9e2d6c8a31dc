"""Conditional replies for what the dashboard polls: 304 while nothing has changed, at the price of one number."""

import hashlib
import time
from collections.abc import Callable

from flask import Response, jsonify, request

from voxanne.database import Row

FRESH_SECONDS = 60


def reply(
    org_id: str, *, current_version: Callable[[], int], load: Callable[[], Row], storable: bool = False
) -> Response:
    """Answer 304 if the request's ETag still holds, else with what `load` returns, less its `version`.

    A tag belongs to one organisation and address. It holds while the version stands, and for a minute at the most,
    since "today" and "the last 30 days" move by themselves. `storable` lets the browser keep the reply so that it can
    ask with its tag; never for one with patients' data.
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
