"""Links to recordings.

Rows of calls carry a signed, short-lived link to this program, which takes no request to make. Supabase Storage signs
the file's URL only when the link is opened. The link works without a session, since audio players send none, and for
one call only.
"""

import base64
import functools
import hmac
import re
import uuid
from collections.abc import Callable
from http import HTTPStatus

from flask import current_app, request
from itsdangerous import BadSignature, TimestampSigner
from itsdangerous.signer import SigningAlgorithm
from storage3.exceptions import StorageApiError

from voxanne import database
from voxanne.config import Settings
from voxanne.database import Row
from voxanne.errors import DatabaseUnavailable, NotFound

BUCKET = "call-recordings"
# Plain names only: programs on the way to the file may read leading dots and escapes differently.
_FILE = re.compile(r"(/[A-Za-z0-9_=+@-][A-Za-z0-9_=+@. -]*)+")


def links(org_id: str) -> Callable[[Row], str | None]:
    """Return what makes the links of an organisation's calls.

    It takes a row and returns a link under which the recording can be heard for a while, or None if there is none.
    """
    settings: Settings = current_app.config["SETTINGS"]
    base = str(settings.backend_url or request.url_root).rstrip("/")
    signer, owner = _signer(settings.signing_key), uuid.UUID(org_id).bytes

    def link(row: Row) -> str | None:
        if not row["has_recording"]:
            return None
        name = base64.urlsafe_b64encode(owner + uuid.UUID(row["id"]).bytes)
        return f"{base}/api/recordings/{signer.sign(name).decode()}"

    return link


def read_link(token: str) -> tuple[str, str]:
    """Return the organisation and the call of a link; raises `NotFound` for a forged or an expired one."""
    settings: Settings = current_app.config["SETTINGS"]
    try:
        name = _signer(settings.signing_key).unsign(token, max_age=settings.recording_url_expiry_seconds)
    except BadSignature:
        raise NotFound("recording") from None
    both = base64.urlsafe_b64decode(name)
    return str(uuid.UUID(bytes=both[:16])), str(uuid.UUID(bytes=both[16:]))


def signed_url(org_id: str, row: Row | None) -> tuple[str, str]:
    """Return the URL of the audio, and its source: "storage" or "provider".

    The path must be in the organisation's own folder, since the service key can sign any file. Raises `NotFound` if
    there is no recording or no file.
    """
    path = (row or {}).get("recording_storage_path") or ""
    if path.startswith(f"{org_id}/") and _FILE.fullmatch(path.removeprefix(org_id)):
        return _sign(path), "storage"
    url = (row or {}).get("recording_url") or ""
    if url.startswith(("https://", "http://")):
        return url, "provider"
    raise NotFound("recording")


def _sign(path: str) -> str:
    settings: Settings = current_app.config["SETTINGS"]
    bucket = database.supabase().storage().from_(BUCKET)
    try:
        return str(bucket.create_signed_url(path, settings.recording_url_expiry_seconds)["signedURL"])
    except StorageApiError as error:
        if str(error.status).isdigit() and int(error.status) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise DatabaseUnavailable from None
        raise NotFound("recording") from None


class _OneShotHmac(SigningAlgorithm):
    """The library's default signature, computed by one call of OpenSSL: a page of calls carries twenty."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


@functools.lru_cache(maxsize=8)
def _signer(secret: str) -> TimestampSigner:
    # Derived once: the library would do it for each link.
    key = TimestampSigner(secret, salt="recording").derive_key()
    return TimestampSigner(key, key_derivation="none", algorithm=_OneShotHmac())
