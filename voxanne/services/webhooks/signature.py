"""Whether an event is the voice provider's own.

The signature is the HMAC-SHA256, in hex, of the time stamp, a dot and the body as it came. The older scheme sends the
secret itself; it says nothing about body and time, and settings can refuse it. Every comparison takes the same time
wherever the difference lies, and every secret is compared. What comes twice in time is the ledger's business.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from flask import current_app
from pydantic import SecretStr
from werkzeug.datastructures import Headers

from voxanne.config import Settings, words
from voxanne.errors import Unauthenticated
from voxanne.services import org_settings
from voxanne.services.secrets import SecretUnreadableError

SHARED_SECRET_HEADER = "X-Vapi-Secret"  # noqa: S105 -- the header's name
_HEX = re.compile(r"[0-9a-f]{64}")
_STAMP = re.compile(r"[0-9]{9,16}")
# In seconds the year 5138, in milliseconds 1973.
_SECONDS_BELOW = 100_000_000_000


@dataclass(frozen=True)
class Claim:
    """What a request brings to prove whose it is: a signature with its time stamp, or the secret itself."""

    signature: str | None
    stamp: str
    shared: bytes | None

    def holds(self, body: bytes, secrets: Iterable[str]) -> bool:
        """Whether one of the secrets proves it."""
        results = [self._proved_by(secret.encode(), body) for secret in secrets]
        return any(results)

    def _proved_by(self, secret: bytes, body: bytes) -> bool:
        if self.signature is not None:
            expected = hmac.new(secret, self.stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            return hmac.compare_digest(self.signature, expected)
        # Digests have one length, so that the comparison doesn't tell the secret's.
        return self.shared is not None and hmac.compare_digest(_digest(self.shared), _digest(secret))


def claim(headers: Headers) -> Claim:
    """Read the headers; raises `Unauthenticated` for what no secret can make good: missing, malformed, out of time.

    Where there is a signature it must be right, whatever else was sent.
    """
    settings: Settings = current_app.config["SETTINGS"]
    signature = headers.get(settings.vapi_signature_header)
    shared = headers.get(SHARED_SECRET_HEADER)
    if signature is not None:
        return _signed(signature, headers.get(settings.vapi_timestamp_header, ""), settings.webhook_tolerance_seconds)
    if shared and settings.vapi_shared_secret_accepted:
        return Claim(None, "", shared.encode("utf-8", "surrogateescape"))
    raise Unauthenticated("Missing webhook signature.")


def secrets_of(org_id: str) -> tuple[str, ...]:
    """Return the secrets that prove an event of that organisation: its own ones, or else the platform's.

    No request while they are cached. Of one whose own can't be decrypted there are none: another must not stand in.
    """
    try:
        own = org_settings.secret(org_id, "vapi", "webhook_secret")
    except SecretUnreadableError:
        return ()
    if own:
        return words(SecretStr(own))
    platform = platform_secrets()
    return (*platform, *(_derived(secret, org_id) for secret in platform))


def platform_secrets() -> tuple[str, ...]:
    """Return the platform's own secrets."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.webhook_secrets


def secret_to_tell(org_id: str, own: str | None) -> str | None:
    """Return the secret that the provider is told for an organisation's assistants; `own` is the stored one.

    Without its own it gets one that is made of the platform's: whoever sees it, such as a clinic in its own account at
    the provider, can speak for that one organisation only.
    """
    stored = words(SecretStr(own)) if own else ()
    if stored:
        return stored[0]
    platform = platform_secrets()
    return _derived(platform[0], org_id) if platform else None


def _signed(signature: str, stamp: str, tolerance: int) -> Claim:
    found = signature.strip().lower().removeprefix("sha256=")
    stamp = stamp.strip()
    if not _HEX.fullmatch(found) or not _STAMP.fullmatch(stamp):
        raise Unauthenticated("Malformed webhook signature.")
    sent = int(stamp)
    seconds = sent if sent < _SECONDS_BELOW else sent / 1000
    if abs(time.time() - seconds) > tolerance:
        raise Unauthenticated("The webhook signature's time is too far off.")
    return Claim(found, stamp, None)


def _derived(secret: str, org_id: str) -> str:
    return hmac.new(secret.encode(), b"webhooks of " + org_id.encode(), hashlib.sha256).hexdigest()


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()
