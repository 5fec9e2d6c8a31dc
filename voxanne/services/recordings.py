"""Links to recordings.

Rows carry a link of our own, signed and short-lived, which costs no request; only when somebody presses play is the
file's URL signed by Supabase Storage. The link names a call and nothing else, and works without a session, as an
audio player sends none.
"""

import base64
import functools
import hmac
import re
import uuid

from flask import current_app, request
from itsdangerous import BadSignature, TimestampSigner
from itsdangerous.signer import SigningAlgorithm
from storage3.exceptions import StorageApiError

from voxanne import database
from voxanne.config import Settings
from voxanne.database import Row
from voxanne.errors import DatabaseUnavailable, NotFound

BUCKET = "call-recordings"
_SERVER_TROUBLE = 500
# Plain names only: dots, escapes and the like would be read differently by each program on the way to the file.
_FILE = re.compile(r"(/[A-Za-z0-9_=+@-][A-Za-z0-9_=+@. -]*)+")


def link(org_id: str, row: Row) -> str | None:
    """Return a link under which the recording of a call can be heard for a while, or None if it has none."""
    if not row["has_recording"]:
        return None
    settings: Settings = current_app.config["SETTINGS"]
    base = str(settings.backend_url or request.url_root).rstrip("/")
    name = base64.urlsafe_b64encode(uuid.UUID(org_id).bytes + uuid.UUID(row["id"]).bytes)
    return f"{base}/api/recordings/{_signer(settings.signing_key).sign(name).decode()}"


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
    """Return where the audio is, and its source: "storage" or "provider".

    The path must lie in the organisation's own folder, since the signing key can reach every organisation's.
    Raises `NotFound` if there is no recording or no file.
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
        if str(error.status).isdigit() and int(error.status) >= _SERVER_TROUBLE:
            raise DatabaseUnavailable from None
        raise NotFound("recording") from None


class _OneShotHmac(SigningAlgorithm):
    """The signatures of the library's default at a third of the time: a page of calls carries twenty."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


@functools.lru_cache(maxsize=8)
def _signer(secret: str) -> TimestampSigner:
    return TimestampSigner(secret, salt="recording", algorithm=_OneShotHmac())
