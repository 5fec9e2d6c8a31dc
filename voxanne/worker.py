"""The gunicorn worker: what it refuses itself, before the program sees it, has the error body of all other refusals."""

import contextlib
import json
import logging
import uuid
from http import HTTPStatus
from typing import Any, NamedTuple

from gunicorn import util
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import ThreadWorker

logger = logging.getLogger(__name__)


_READ_TO_THE_END = 64 * 1024  # what gunicorn itself reads of a refused body, to keep the connection


class Refusal(NamedTuple):
    """An answer to a request that could not be read."""

    status: int
    code: str
    sentence: str


_FAILED = Refusal(500, "INTERNAL_ERROR", "Something went wrong on our side.")
_OURS = (InvalidResponseHeader, InvalidResponseHeaderName)
_REFUSALS: tuple[tuple[type[Exception], Refusal], ...] = (
    (LimitRequestLine, Refusal(414, "URI_TOO_LONG", "The address of the request is too long.")),
    (LimitRequestHeaders, Refusal(431, "HEADERS_TOO_LARGE", "The headers of the request are too large.")),
    (ExpectationFailed, Refusal(417, "EXPECTATION_FAILED", "The request expects what this server does not do.")),
    (UnsupportedTransferCoding, Refusal(501, "NOT_IMPLEMENTED", "The request is encoded in an unknown way.")),
    (ParseException, Refusal(400, "BAD_REQUEST", "The request could not be understood.")),
)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads as gunicorn has them; only its page of HTML for errors, and its log of what came, give way."""

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Say so where the connection ends with the reply, because a body was refused and stays unread.

        Gunicorn ends it without a word, and the next request that a client or a proxy sends on it is lost.
        """
        ends = req.should_close
        req.should_close = lambda: ends() or _stays_unread(req.body.reader)
        return super().handle_request(req, conn)

    def handle_error(self, _req: Any, client: Any, _addr: Any, exc: Exception) -> None:
        """Answer a request that could not be read, or that the program failed to answer."""
        refusal = _refusal(exc)
        request_id = str(uuid.uuid4())
        # Not what came: an address or a header may hold a number or a token.
        fields = {"status": refusal.status, "request_id": request_id, "cause": type(exc).__name__}
        if refusal is _FAILED:
            logger.error("unhandled error", extra=fields, exc_info=exc)
        else:
            logger.warning("request refused", extra=fields)
        with contextlib.suppress(OSError):  # the client has gone
            util.write_nonblock(client, _reply(refusal, request_id))


def _stays_unread(reader: Any) -> bool:
    if isinstance(reader, LengthReader):
        return bool(reader.length >= _READ_TO_THE_END)
    return isinstance(reader, ChunkedReader) and reader.parser is not None


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, _OURS):
        return _FAILED
    return next((refusal for kind, refusal in _REFUSALS if isinstance(error, kind)), _FAILED)


def _reply(refusal: Refusal, request_id: str) -> bytes:
    body = json.dumps({"error": refusal.sentence, "code": refusal.code, "request_id": request_id})
    lines = (
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "",
        body,
    )
    return "\r\n".join(lines).encode()
