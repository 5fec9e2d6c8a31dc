"""The voice provider (vapi.ai): assistants and phone numbers.

Each request names the account by its key. There is no `requests.Session`, since that would send cookies of one account
along with the next request of another.
"""

import logging
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol, cast
from urllib.parse import quote

import requests
from flask import Flask, current_app
from requests.auth import AuthBase

from voxanne.config import Settings
from voxanne.errors import ProviderError
from voxanne.integrations.vapi_fake import FakeVapi
from voxanne.signals import provider_call

logger = logging.getLogger(__name__)

BASE_URL = "https://api.vapi.ai"
TIMEOUTS = (2.0, 8.0)
TRIES = 2
PAUSE_SECONDS = 0.2
_REPEATABLE = {"GET", "PATCH", "DELETE"}
_KEY_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

Json = dict[str, Any]


class VapiError(ProviderError):
    """The voice provider did not do what it was asked; `reason` is a word for logs and for the database."""

    reason = "refused"

    def __init__(self, message: str = "The voice provider refused the request.") -> None:
        super().__init__(message)


class VapiUnreachable(VapiError):
    """No answer in time, a server error or rate limiting: what was asked may or may not have been done."""

    reason = "unreachable"

    def __init__(self) -> None:
        super().__init__("The voice provider can't be reached right now.")


class VapiKeyRefused(VapiError):
    """The provider does not accept the key."""

    reason = "key refused"

    def __init__(self) -> None:
        super().__init__("The voice provider does not accept the API key.")


class VapiNotFound(VapiError):
    """The account has no such assistant or number."""

    reason = "not found"

    def __init__(self) -> None:
        super().__init__("The voice provider does not know this assistant or phone number.")


class VoiceProvider(Protocol):
    """What the program needs of the voice provider; every method may raise `VapiError` or a subclass."""

    def get_assistant(self, key: str, assistant_id: str) -> Json: ...  # noqa: D102
    def create_assistant(self, key: str, assistant: Json) -> Json: ...  # noqa: D102
    def update_assistant(self, key: str, assistant_id: str, changes: Json) -> Json: ...  # noqa: D102
    def delete_assistant(self, key: str, assistant_id: str) -> None: ...  # noqa: D102
    def list_phone_numbers(self, key: str) -> list[Json]: ...  # noqa: D102
    def import_phone_number(self, key: str, number: Json) -> Json: ...  # noqa: D102
    def update_phone_number(self, key: str, number_id: str, changes: Json) -> Json: ...  # noqa: D102
    def get_call(self, key: str, call_id: str) -> Json: ...  # noqa: D102
    def list_calls(self, key: str, *, since: datetime, until: datetime, limit: int) -> list[Json]: ...  # noqa: D102


class LiveVapi:
    """The voice provider itself. Requests that create nothing are retried once, unless the first one timed out."""

    def get_assistant(self, key: str, assistant_id: str) -> Json:
        """Return an assistant as the provider has it."""
        return cast(Json, self._ask(key, "GET", "assistant", assistant_id))

    def create_assistant(self, key: str, assistant: Json) -> Json:
        """Make an assistant and return it with its id."""
        return cast(Json, self._ask(key, "POST", "assistant", json=assistant))

    def update_assistant(self, key: str, assistant_id: str, changes: Json) -> Json:
        """Replace the given members of an assistant and return it."""
        return cast(Json, self._ask(key, "PATCH", "assistant", assistant_id, json=changes))

    def delete_assistant(self, key: str, assistant_id: str) -> None:
        """Remove an assistant."""
        self._ask(key, "DELETE", "assistant", assistant_id)

    def list_phone_numbers(self, key: str) -> list[Json]:
        """Return the account's phone numbers, each with id and number."""
        return cast(list[Json], self._ask(key, "GET", "phone-number"))

    def import_phone_number(self, key: str, number: Json) -> Json:
        """Add a number of another telephone company to the account and return it with its id."""
        return cast(Json, self._ask(key, "POST", "phone-number", json=number))

    def update_phone_number(self, key: str, number_id: str, changes: Json) -> Json:
        """Replace the given members of a number, such as the assistant who answers it."""
        return cast(Json, self._ask(key, "PATCH", "phone-number", number_id, json=changes))

    def get_call(self, key: str, call_id: str) -> Json:
        """Return a call as the provider has it: `status`, and once it is `ended` all that its report holds."""
        return cast(Json, self._ask(key, "GET", "call", call_id))

    def list_calls(self, key: str, *, since: datetime, until: datetime, limit: int) -> list[Json]:
        """Return up to `limit` of the account's calls made from `since` to `until`, the latest first, as `get_call`."""
        asked = {"createdAtGe": _stamp(since), "createdAtLe": _stamp(until), "limit": str(limit)}
        found = self._ask(key, "GET", "call", params=asked)
        if not isinstance(found, list) or not all(isinstance(call, dict) and call.get("id") for call in found):
            raise VapiError
        return cast(list[Json], found)

    def _ask(
        self, key: str, method: str, *path: str, json: Json | None = None, params: dict[str, str] | None = None
    ) -> Any:
        tries = TRIES if method in _REPEATABLE else 1
        for attempt in range(tries):
            try:
                return _observed(key, method, path, json, params)
            except VapiUnreachable as error:
                if attempt + 1 == tries or isinstance(error.__cause__, requests.ReadTimeout):
                    raise
                time.sleep(PAUSE_SECONDS)
        raise AssertionError


class _Bearer(AuthBase):
    """Sends the key; given as a header alone, requests would let a .netrc override it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _observed(key: str, method: str, path: tuple[str, ...], json: Json | None, params: dict[str, str] | None) -> Any:
    """Send a request once, and signal its outcome to the monitoring."""
    begun, outcome = time.perf_counter(), "unreachable"
    try:
        found = _send(key, method, path, json, params)
    except VapiError as error:
        outcome = "unreachable" if isinstance(error, VapiUnreachable) else "refused"
        raise
    else:
        outcome = "ok"
        return found
    finally:
        seconds = time.perf_counter() - begun
        provider_call.send(provider="vapi", operation=f"{method} {path[0]}", outcome=outcome, seconds=seconds)


def _send(key: str, method: str, path: tuple[str, ...], json: Json | None, params: dict[str, str] | None) -> Any:
    url = "/".join((BASE_URL, *(quote(part, safe="") for part in path)))
    try:
        reply = requests.request(
            method, url, params=params, json=json, auth=_Bearer(key), timeout=TIMEOUTS, allow_redirects=False
        )
    except requests.RequestException as error:
        _log(method, path, type(error).__name__)
        raise VapiUnreachable from error
    if reply.ok and not reply.is_redirect:
        return _json(reply, method, path)
    _log(method, path, reply.status_code)
    raise _meaning(reply.status_code)


def _meaning(status: int) -> VapiError:
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return VapiUnreachable()
    if status in _KEY_REFUSED:
        return VapiKeyRefused()
    return VapiNotFound() if status == HTTPStatus.NOT_FOUND else VapiError()


def _json(reply: requests.Response, method: str, path: tuple[str, ...]) -> Any:
    try:
        return reply.json() if reply.content else {}
    except requests.JSONDecodeError:
        _log(method, path, "no JSON")
        raise VapiError from None


def _log(method: str, path: tuple[str, ...], cause: object) -> None:
    # Never the texts: they quote prompts, numbers and keys.
    logger.warning("voice provider did not comply", extra={"asked": f"{method} {path[0]}", "cause": cause})


def init_app(app: Flask) -> None:
    """Use the provider or its stand-in, as the settings say."""
    settings: Settings = app.config["SETTINGS"]
    app.extensions["voxanne.vapi"] = FakeVapi() if settings.voice_provider_is_fake else LiveVapi()


def provider() -> VoiceProvider:
    """Return this application's voice provider."""
    return cast(VoiceProvider, current_app.extensions["voxanne.vapi"])
