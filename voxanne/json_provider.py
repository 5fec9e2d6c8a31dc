"""JSON by orjson: a page of calls in microseconds where the standard library takes ten times as long."""

from typing import Any

import orjson
from flask import Flask, Response
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Dates and UUIDs become strings; anything else unknown is an error."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Serialise to text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Parse text or bytes."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Serialise straight to the bytes of a reply."""
        payload = self._prepare_response_obj(args, kwargs)
        return Response(orjson.dumps(payload), mimetype="application/json")


def init_app(app: Flask) -> None:
    """Make it the application's JSON."""
    app.json = OrjsonProvider(app)
