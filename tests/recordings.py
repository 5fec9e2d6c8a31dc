"""Recordings for tests: a small WAV file, its upload, and the links that players open."""

import base64
import io
import uuid
import wave
from urllib.parse import urlsplit

import httpx
from itsdangerous import TimestampSigner
from werkzeug.test import TestResponse

from tests.conftest import CSRF_SECRET
from tests.factories import Caller
from voxanne.config import Settings

CALLS = "/api/calls-dashboard"
ELSEWHERE = "https://provider.example/recordings/1.wav"
FRAMES = 800


def silence() -> bytes:
    """A tenth of a second of a quiet telephone line."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, FRAMES, "NONE", ""))
        writer.writeframes(b"\0\0" * FRAMES)
    return file.getvalue()


AUDIO = silence()


def upload(settings: Settings, path: str) -> str:
    key = settings.supabase_service_role_key.get_secret_value()
    headers = {"apikey": key, "Authorization": f"Bearer {key}", "Content-Type": "audio/wav"}
    address = f"{settings.supabase_base}/storage/v1/object/call-recordings/{path}"
    httpx.post(address, content=AUDIO, headers=headers).raise_for_status()
    return path


def link_of(caller: Caller, call_id: str) -> str:
    """The address that the detail shows, for a player that has no session."""
    return urlsplit(caller.get(f"{CALLS}/{call_id}").json["recording_url"]).path


def play(caller: Caller, address: str) -> TestResponse:
    return caller.app.test_client().get(address)


def assert_no_recording(reply: TestResponse) -> None:
    assert (reply.status_code, reply.json["code"]) == (404, "RECORDING_NOT_FOUND")


def signed(caller: Caller, call_id: str, *, key: str = CSRF_SECRET, salt: str = "recording") -> str:
    name = base64.urlsafe_b64encode(uuid.UUID(caller.org_id).bytes + uuid.UUID(call_id).bytes)
    return TimestampSigner(key, salt=salt).sign(name).decode()
