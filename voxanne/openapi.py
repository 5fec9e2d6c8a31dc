"""Validates requests and describes the API, both from the same models (spectree).

A view names its models in its annotations (`query: CallListQuery`, `json: NewCall`); `describe()` adds its replies.
`/openapi.json` is the description, `/docs` a page to browse it that loads nothing from other hosts.

Members of a body that its model does not name are ignored, as the API's contract has it, unless the model forbids them.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from flask import Request, current_app, make_response
from gunicorn.http.errors import ParseException
from pydantic import BaseModel, ValidationError
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData
from spectree.plugins.base import Context
from spectree.plugins.flask_plugin import FlaskPlugin
from spectree.utils import get_multidict_items
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from voxanne.errors import ValidationFailed

View = TypeVar("View", bound=Callable[..., Any])

JSON_TYPES = {"", "application/json"}
# An escaped NUL, which Postgres can't store: an odd number of backslashes before u0000.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class ErrorDetail(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ErrorBody(BaseModel):
    """The body of every reply with an error."""

    error: str
    code: str
    request_id: str | None
    details: list[ErrorDetail] | None = None
    retryAfter: int | None = None  # noqa: N815 -- the contract's spelling


class StrictPlugin(FlaskPlugin):
    """Reads bodies by the contract's rules (`read_json`), and checks replies against their models in tests only."""

    def request_validation(
        self, request: Request, query: Any, json: Any, form: Any, headers: Any, cookies: Any
    ) -> None:
        """Validate query and body; raises pydantic's ValidationError, or `ValidationFailed` for what is not JSON."""
        found = {key: value for key, value in get_multidict_items(request.args, query).items() if value != ""}
        context = Context(
            query.model_validate(found) if query else None,
            json.model_validate(read_json(request)) if json and not issubclass(json, ReadByView) else None,
            None,
            None,
            None,
        )
        request.context = context  # type: ignore[attr-defined]

    def validate_response(
        self, resp: Any, resp_model: Any, skip_validation: bool, force_resp_serialize: bool
    ) -> tuple[Any, Any]:
        """Pass the reply on; in tests a reply that does not fit its model is an error."""
        response = make_response(resp)
        if current_app.testing and resp_model and response.is_json:
            model = resp_model.find_model(response.status_code)
            if model is not None:
                model.model_validate(response.get_json())
        return response, None


class ReadByView(BaseModel):
    """A body that the view reads itself, after it has checked the signature; the model only documents it."""


def read_body(request: Request, *, limit: int | None = None) -> bytes:
    """Return the whole body.

    Raises a 413 beyond `limit` bytes (by default the application's limit), a 400 if it can't be read or ended early.
    """
    if limit is not None:
        request.max_content_length = limit
    try:
        raw = request.get_data(cache=True)
    except (OSError, ParseException):
        # gunicorn found an error in the chunked encoding, or the connection broke.
        raise ValidationFailed("The request body could not be read.") from None
    if request.content_length is not None and len(raw) < request.content_length:
        raise ValidationFailed("The request body ended early.")
    # Werkzeug silently cuts a body without Content-Length off at the limit.
    if request.content_length is None and len(raw) >= (request.max_content_length or len(raw) + 1):
        raise RequestEntityTooLarge
    return raw


def read_json(request: Request) -> Any:
    """Return the body's JSON; an empty body is `{}`, as the dashboard sends many of those."""
    raw = read_body(request)
    if not raw.strip():
        return {}
    if request.mimetype not in JSON_TYPES:
        raise UnsupportedMediaType
    if _NUL.search(raw):
        raise ValidationFailed("Text can't contain the NUL character.")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise ValidationFailed("The request body is not valid JSON.") from None


def _raise_validation(_request: Any, _response: Any, error: Exception | None, *_: Any) -> None:
    if not isinstance(error, ValidationError):
        return
    details = [
        {
            "field": ".".join(str(part) for part in item["loc"]) or "body",
            "message": item["msg"].removeprefix("Value error, "),
        }
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    sentence = "; ".join(f"{detail['field']}: {detail['message']}" for detail in details[:3])
    raise ValidationFailed(sentence, details=details)


BEARER = SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", bearer_format="JWT")

api = SpecTree(
    "flask",
    backend=StrictPlugin,
    before=_raise_validation,
    validation_error_status=HTTPStatus.BAD_REQUEST,
    validation_error_model=ErrorBody,
    title="Voxanne",
    description="The API behind the Voxanne dashboard and the voice provider's webhooks.",
    version="0.1.0",
    path="unused",  # spectree leaves out what lies under it; the pages are routes of our own
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    security_schemes=[SecurityScheme(name="bearer", data=BEARER)],
    security={"bearer": []},
)

_MULTIPART, FORM_TYPE = "multipart/form-data", "application/x-www-form-urlencoded"


def document() -> dict[str, Any]:
    """Return the description of all routes; forms are of the kind that they take, of which spectree knows the other."""
    spec: dict[str, Any] = api.spec
    for methods in spec["paths"].values():
        for operation in methods.values():
            body = operation.get("requestBody", {"content": {}})
            kinds = {FORM_TYPE if kind == _MULTIPART else kind: shape for kind, shape in body["content"].items()}
            body["content"] = kinds  # as one, since the description is everybody's
    return spec


_ALWAYS = (400, 429, 500, 503)
_SIGNED_IN = (401, 403)


def describe(
    tag: str,
    ok: Any = None,
    *,
    status: int = 200,
    errors: tuple[int, ...] = (),
    public: bool = False,
    replies: dict[int, Any] | None = None,
) -> Callable[[View], View]:
    """Validate a view's annotated input, and document its replies.

    `ok` is the model of a success, `errors` are the error statuses beyond those of every route, and `replies` gives the
    models of statuses that have a body of another kind. `public` routes need no token.
    """
    others = {*_ALWAYS, *(() if public else _SIGNED_IN), *errors}
    models: dict[int, Any] = {**dict.fromkeys(sorted(others), ErrorBody), status: ok, **(replies or {})}
    return api.validate(
        resp=Response(**{f"HTTP_{code}": model for code, model in models.items()}),
        tags=[tag],
        security=[{}] if public else None,
    )
