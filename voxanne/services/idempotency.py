"""Idempotent creation: the dashboard repeats a POST that failed, under the same X-Request-ID."""

import uuid
from collections.abc import Callable

import orjson
from flask import g
from postgrest.exceptions import APIError

from voxanne.database import Row
from voxanne.errors import UNIQUE_VIOLATION

_NAMESPACE = uuid.UUID("6f0c2a52-6a43-4c1e-9d5b-2d8f6b6f3a10")


def create_once(*, scope: str, values: Row, insert: Callable[[Row], Row], find: Callable[[str], Row | None]) -> Row:
    """Insert a row, or return the one that an earlier try of the same request inserted.

    The row's id is derived from `scope` (noun, organisation and user), the request's id and the content, so a repeat
    violates the primary key, and `find` then returns the first row. Without a request id from the client every call
    inserts; a request id that comes with other content counts as a new one.
    """
    if g.get("client_request_id") is None:
        return insert(values)
    content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
    row_id = str(uuid.uuid5(_NAMESPACE, f"{scope}|{g.client_request_id}|{content}"))
    try:
        return insert({**values, "id": row_id})
    except APIError as error:
        found = find(row_id) if error.code == UNIQUE_VIOLATION else None
        if found is None:
            raise
        return found
