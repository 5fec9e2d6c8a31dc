"""Twilio: sending text messages, finding those that were sent, and verifying the signatures of its callbacks.

The official library builds the requests and reads the replies; they go out over `TimedHttp`, as the library's own
client waits for ever by default, keeps cookies from one account's call to the next one's, and logs numbers.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol, cast

import requests
from flask import Flask, current_app
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from voxanne import signals
from voxanne.config import Settings
from voxanne.errors import ProviderError
from voxanne.integrations.text_messages import Account, SentText
from voxanne.integrations.twilio_fake import FakeTwilio

logger = logging.getLogger(__name__)

TIMEOUTS = (2.0, 8.0)
MOST_LOOKED_THROUGH = 1000
_KEY_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_CLOCKS_DIFFER, _OUT_OF_ORDER = timedelta(minutes=5), timedelta(days=1)


class TwilioError(ProviderError):
    """Twilio refused for good, such as for an invalid number: nothing was sent, and trying again would not help."""

    reason = "refused"

    def __init__(self, code: int | None = None) -> None:
        super().__init__("The text message service refused the request.")
        self.provider_code = code


class TwilioKeyRefused(TwilioError):
    """Twilio does not accept account and token."""

    reason = "key refused"


class TwilioBusy(TwilioError):
    """Twilio is rate limiting; nothing was sent."""

    reason = "busy"


class TwilioUnreachable(TwilioError):
    """No answer in time, or none that tells what happened: the text may or may not have been sent."""

    reason = "unreachable"

    def __init__(self) -> None:
        super().__init__()
        self.message = "The text message service can't be reached right now."


class TextProvider(Protocol):
    """What the program needs of Twilio; every method may raise `TwilioError` or a subclass."""

    def send(self, account: Account, to: str, body: str, callback: str | None = None) -> SentText: ...  # noqa: D102
    def sent_since(self, account: Account, to: str, since: datetime) -> list[SentText]: ...  # noqa: D102


class TimedHttp(HttpClient):  # type: ignore[misc]
    """Sends the library's requests with a time limit, and without cookies or log lines."""

    def __init__(self) -> None:
        super().__init__(logger, is_async=False)

    def request(  # noqa: PLR0917
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> Response:
        """Send one request; raises requests' errors."""
        reply = requests.request(
            method.upper(),
            uri,
            params=cast(Any, params),
            data=cast(Any, data),
            headers=dict(headers or {}),
            auth=auth,
            timeout=TIMEOUTS,
            allow_redirects=False,
        )
        return Response(reply.status_code, reply.text, reply.headers)


class LiveTwilio:
    """Twilio itself. Nothing is retried here, since a text could go out twice: `services.texts` decides that."""

    def send(self, account: Account, to: str, body: str, callback: str | None = None) -> SentText:
        """Send a text from the account's number; Twilio reports to `callback` what becomes of it."""
        given = {"status_callback": callback} if callback else {}
        with _observed("send"):
            sent = _client(account).messages.create(to=to, from_=account.number, body=body, **given)
            return SentText(sent.sid, sent.body or body, sent.status)

    def sent_since(self, account: Account, to: str, since: datetime) -> list[SentText]:
        """Return the texts from the account's number to another that were made since then, queued ones included.

        Twilio filters by the time of sending only, which a queued text lacks, so its list is read from the newest back
        to `since`. Raises `TwilioUnreachable` if that takes more than `MOST_LOOKED_THROUGH` texts.
        """
        with _observed("sent_since"):
            found: list[SentText] = []
            listed = _client(account).messages.stream(
                to=to, from_=account.number, limit=MOST_LOOKED_THROUGH, page_size=100
            )
            for count, text in enumerate(listed, 1):
                made = text.date_created
                if made is not None and made < since - _OUT_OF_ORDER:
                    return found
                if made is None or made >= since - _CLOCKS_DIFFER:
                    found.append(SentText(text.sid, text.body or "", text.status))
                if count == MOST_LOOKED_THROUGH:
                    raise TwilioUnreachable
            return found


def signature_is_valid(token: str, url: str, form: Mapping[str, Any], signature: str) -> bool:
    """Whether Twilio signed a callback to this URL, as it knows it, with this token; compared in constant time."""
    return bool(RequestValidator(token).validate(url, form, signature))


@contextmanager
def _observed(operation: str) -> Iterator[None]:
    started, outcome = time.perf_counter(), "ok"
    try:
        try:
            yield
        except TwilioRestException as error:
            raise _meaning(error.status, error.code) from None
        except (requests.RequestException, TwilioException, KeyError, ValueError):
            # An unreadable answer does not tell whether the text was sent.
            raise TwilioUnreachable from None
    except TwilioError as error:
        outcome = "unreachable" if isinstance(error, TwilioUnreachable) else "refused"
        # Never Twilio's own text: it quotes numbers.
        logger.warning(
            "text provider did not comply",
            extra={"asked": operation, "cause": error.reason, "provider_code": error.provider_code},
        )
        raise
    finally:
        seconds = time.perf_counter() - started
        signals.provider_call.send(provider="twilio", operation=operation, outcome=outcome, seconds=seconds)


def _meaning(status: int, code: int | None) -> TwilioError:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return TwilioUnreachable()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TwilioBusy(code)
    return TwilioKeyRefused(code) if status in _KEY_REFUSED else TwilioError(code)


def _client(account: Account) -> Client:
    return Client(account.sid, account.token, http_client=TimedHttp())


def init_app(app: Flask) -> None:
    """Use Twilio or its stand-in, as the settings say."""
    settings: Settings = app.config["SETTINGS"]
    app.extensions["voxanne.twilio"] = FakeTwilio() if settings.text_provider_is_fake else LiveTwilio()


def provider() -> TextProvider:
    """Return this application's text provider."""
    return cast(TextProvider, current_app.extensions["voxanne.twilio"])
