"""The error family and the one place that turns errors into replies."""

import logging
from collections.abc import Mapping, Sequence

import httpx
from flask import Flask, Response, g, jsonify, request
from postgrest.exceptions import APIError
from werkzeug.exceptions import HTTPException

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2


class ApiError(Exception):
    """An answer other than success: HTTP status, machine-readable code, and a sentence for people."""

    status = 500
    code = "INTERNAL_ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Sequence[dict[str, str]] | None = None,
        retry_after: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details
        self.retry_after = retry_after
        self.extra = extra or {}


class ValidationFailed(ApiError):
    """400: the query or the body is not what the route takes."""

    status, code = 400, "VALIDATION_ERROR"


class InvalidId(ApiError):
    """400: an id in the path is not a UUID."""

    status, code = 400, "INVALID_UUID"

    def __init__(self) -> None:
        super().__init__("The id in the address is not a valid UUID.")


class Unauthenticated(ApiError):
    """401: no caller could be made out of the request."""

    status, code = 401, "UNAUTHENTICATED"


class Forbidden(ApiError):
    """403: the caller is known and may not do this."""

    status, code = 403, "FORBIDDEN"


class NotFound(ApiError):
    """404: there is no such row in the caller's organisation; `noun` as in "call"."""

    status = 404

    def __init__(self, noun: str) -> None:
        super().__init__(f"{noun.capitalize()} not found", code=f"{noun.upper().replace(' ', '_')}_NOT_FOUND")


class Gone(ApiError):
    """410: it existed and was deleted."""

    status, code = 410, "GONE"


class Conflict(ApiError):
    """409: the change contradicts what is stored."""

    status, code = 409, "CONFLICT"


class WrongMediaType(ApiError):
    """415: the body is of another kind than `wanted`."""

    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Send the body as {wanted}.")


class RateLimited(ApiError):
    """429: the organisation, or the address, has used up its requests for now."""

    status, code = 429, "RATE_LIMITED"

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many requests. Please wait a moment.", retry_after=retry_after)


class ProviderError(ApiError):
    """502: an outside service (voice, SMS, mail) did not do what it was asked."""

    status, code = 502, "PROVIDER_ERROR"


class DatabaseUnavailable(ApiError):
    """503: Supabase did not answer in time, or not at all."""

    status, code = 503, "DATABASE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The database can't be reached right now. Please try again.", retry_after=RETRY_AFTER_SECONDS)


UNIQUE_VIOLATION, QUERY_CANCELED = "23505", "57014"
# Codes of PostgREST (PGRST...) and of Postgres (SQLSTATE). These pass by themselves, so the caller may try again: lost
# connections, an exhausted pool, time-outs, a shut-down, locks and deadlocks.
_UNAVAILABLE = {
    "PGRST000", "PGRST001", "PGRST002", "PGRST003", QUERY_CANCELED, "57P01", "57P02", "57P03", "53300", "502", "503",
    "504", "40001", "40P01", "55P03",
}  # fmt: skip
_REJECTED_TOKEN = {"PGRST301", "PGRST302", "PGRST303"}
_BAD_VALUE = {"22001", "22003", "22007", "22008", "22009", "22023", "22P02", "22P05", "23502", "23514"}


def from_database(error: APIError) -> ApiError:
    """Say what a PostgREST error means to the caller; its text stays in the log."""
    code = str(error.code or "")
    # No code at all is what PostgREST says of a connection that broke, class 08 what Postgres does.
    if not code or code in _UNAVAILABLE or code.startswith("08"):
        return DatabaseUnavailable()
    if code in _REJECTED_TOKEN:
        return Unauthenticated("Invalid or expired token")
    if code == "42501":
        return Forbidden("Your role does not allow this.")
    if code in {UNIQUE_VIOLATION, "23P01", "23503"}:
        return Conflict("This contradicts what is already stored.")
    if code in _BAD_VALUE:
        return ValidationFailed("A value is out of range or has the wrong form.")
    return ApiError("Something went wrong on our side.")


def is_unavailable(error: Exception) -> bool:
    """Whether an error says that Supabase is slow or down, so that a cached answer is better than none."""
    if isinstance(error, APIError):
        return isinstance(from_database(error), DatabaseUnavailable)
    return isinstance(error, (httpx.HTTPError, DatabaseUnavailable))


def reply(error: ApiError) -> Response:
    """Build the one error body there is."""
    body: dict[str, object] = {
        **error.extra,
        "error": error.message,
        "code": error.code,
        "request_id": g.get("request_id"),
    }
    if error.details:
        body["details"] = list(error.details)
    if error.retry_after is not None:
        body["retryAfter"] = error.retry_after
    response = jsonify(body)
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.status == Unauthenticated.status:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _on_database_error(error: APIError) -> Response:
    meaning = from_database(error)
    log = logger.warning if meaning.status < ApiError.status else logger.error
    # The code only: the text and the details of a Postgres error may quote a patient's data.
    log("database refused", extra={"database_code": error.code, "answered": meaning.status})
    return reply(meaning)


def _on_transport_error(error: httpx.HTTPError) -> Response:
    logger.error("database unreachable", extra={"cause": type(error).__name__})
    return reply(DatabaseUnavailable())


def _on_http_exception(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or ApiError.status
    sentence, code = _HTTP_SENTENCES.get(status, (error.name, error.name.upper().replace(" ", "_")))
    translated = ApiError(sentence, code=code)
    translated.status = status
    response = reply(translated)
    if status == NotFound.status:
        response.set_data(jsonify({**response.get_json(), "path": request.path}).get_data())
    if valid_methods := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(valid_methods))
    return response


_HTTP_SENTENCES = {
    400: ("The request could not be understood.", "BAD_REQUEST"),
    404: ("There is nothing at this address.", "NOT_FOUND"),
    405: ("This address does not take that method.", "METHOD_NOT_ALLOWED"),
    413: ("The request body is too large.", "PAYLOAD_TOO_LARGE"),
    415: ("Send the body as application/json.", "UNSUPPORTED_MEDIA_TYPE"),
}


def _on_unexpected(error: Exception) -> Response:
    logger.error("unhandled error", exc_info=error)
    return reply(ApiError("Something went wrong on our side."))


def init_app(app: Flask) -> None:
    """Register the translators, the most general last."""
    app.register_error_handler(ApiError, reply)
    app.register_error_handler(APIError, _on_database_error)
    app.register_error_handler(httpx.HTTPError, _on_transport_error)
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(Exception, _on_unexpected)
