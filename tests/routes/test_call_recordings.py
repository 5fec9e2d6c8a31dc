"""Recordings: the link in a row, what it lets in and for how long, and GET /api/calls-dashboard/:id/recording-url."""

import io
import time
import uuid
import wave
from urllib.parse import urlsplit

import httpx
import pytest
import time_machine
from itsdangerous import URLSafeTimedSerializer
from storage3._sync.file_api import SyncBucketProxy
from storage3.exceptions import StorageApiError
from werkzeug.test import TestResponse

from tests.conftest import CSRF_SECRET
from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from voxanne.config import Settings

PATH = "/api/calls-dashboard"
ELSEWHERE = "https://provider.example/recordings/1.wav"
BOTH = pytest.mark.parametrize("call_type", ["inbound", "outbound"])


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("viewer")


@pytest.fixture(scope="module")
def audio() -> bytes:
    """A tenth of a second of telephone silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 800, "NONE", ""))
        writer.writeframes(b"\0\0" * 800)
    return file.getvalue()


def upload(settings: Settings, path: str, audio: bytes) -> str:
    key = settings.supabase_service_role_key.get_secret_value()
    headers = {"apikey": key, "Authorization": f"Bearer {key}", "Content-Type": "audio/wav"}
    address = f"{settings.supabase_base}/storage/v1/object/call-recordings/{path}"
    httpx.post(address, content=audio, headers=headers).raise_for_status()
    return path


def link_of(caller: Caller, call_id: str) -> str:
    """The address that the detail shows, for a player that has no session."""
    return urlsplit(caller.get(f"{PATH}/{call_id}").json["recording_url"]).path


def play(caller: Caller, address: str) -> TestResponse:
    return caller.app.test_client().get(address)


def assert_no_recording(reply: TestResponse) -> None:
    assert (reply.status_code, reply.json["code"]) == (404, "RECORDING_NOT_FOUND")


@BOTH
def test_a_stored_recording_plays(
    factory: Factory, recorder: RequestRecorder, caller: Caller, audio: bytes, call_type: str
) -> None:
    path = upload(factory.settings, f"{caller.org_id}/calls/{uuid.uuid4()}.wav", audio)
    call_id = factory.call(caller.org_id, call_type, recording_storage_path=path, recording_status="completed")

    reply = caller.get(f"{PATH}/{call_id}/recording-url")

    assert reply.status_code == 200
    assert recorder.last[0] == "GET calls_feed"
    assert [name.split("/call-recordings")[0] for name in recorder.last[1:]] == ["POST /storage/v1/object/sign"]
    assert (reply.json["source"], reply.json["expires_in"]) == ("storage", 3600)
    heard = httpx.get(reply.json["recording_url"])
    assert (heard.status_code, heard.headers["Content-Type"], heard.content) == (200, "audio/wav", audio)
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert sound.getnframes() == 800


@BOTH
def test_the_link_in_a_row_plays_without_a_session(
    factory: Factory, recorder: RequestRecorder, caller: Caller, audio: bytes, call_type: str
) -> None:
    path = upload(factory.settings, f"{caller.org_id}/{uuid.uuid4()}.wav", audio)
    factory.call(caller.org_id, call_type, recording_storage_path=path)
    link = caller.get(PATH).json["calls"][0]["recording_url"]
    assert recorder.last == ["GET calls_feed"]

    reply = play(caller, urlsplit(link).path)

    assert reply.status_code == 302
    assert len(recorder.last) == 2
    assert httpx.get(reply.headers["Location"]).content == audio


def test_a_recording_that_the_provider_keeps_is_linked_there(
    factory: Factory, recorder: RequestRecorder, caller: Caller
) -> None:
    call_id = factory.call(caller.org_id, recording_url=ELSEWHERE, recording_storage_path="processing")

    reply = caller.get(f"{PATH}/{call_id}/recording-url")

    assert recorder.last == ["GET calls_feed"]
    assert reply.json == {"recording_url": ELSEWHERE, "expires_in": 3600, "source": "provider"}
    assert play(caller, link_of(caller, call_id)).headers["Location"] == ELSEWHERE


def test_storage_comes_before_the_provider(factory: Factory, caller: Caller, audio: bytes) -> None:
    path = upload(factory.settings, f"{caller.org_id}/{uuid.uuid4()}.wav", audio)
    call_id = factory.call(caller.org_id, recording_url=ELSEWHERE, recording_storage_path=path)

    assert caller.get(f"{PATH}/{call_id}/recording-url").json["source"] == "storage"


@pytest.mark.parametrize("path", [None, "processing"])
def test_without_a_recording_there_is_no_link(factory: Factory, caller: Caller, path: str | None) -> None:
    call_id = factory.call(caller.org_id, recording_storage_path=path, recording_status="processing")

    row = caller.get(PATH).json["calls"][0]

    assert (row["recording_url"], row["has_recording"], row["recording_status"]) == (None, False, "processing")
    assert_no_recording(caller.get(f"{PATH}/{call_id}/recording-url"))


def test_a_link_lives_an_hour(factory: Factory, caller: Caller) -> None:
    link = link_of(caller, factory.call(caller.org_id, recording_url=ELSEWHERE))
    born = time.time()

    with time_machine.travel(born + 3590):
        assert play(caller, link).status_code == 302
    with time_machine.travel(born + 3610):
        assert_no_recording(play(caller, link))


def signed(caller: Caller, call_id: str, *, key: str = CSRF_SECRET, salt: str = "recording") -> str:
    return URLSafeTimedSerializer(key, salt=salt).dumps([caller.org_id, call_id])


def test_a_forged_link_opens_nothing(factory: Factory, recorder: RequestRecorder, caller: Caller) -> None:
    call_id = factory.call(caller.org_id, recording_url=ELSEWHERE)
    good = signed(caller, call_id)
    payload, stamp, mac = good.rsplit(".", 2)
    other = signed(caller, str(uuid.uuid4())).split(".")[0]
    forged = [
        signed(caller, call_id, key="another key"),
        signed(caller, call_id, salt="csrf"),
        f"{other}.{stamp}.{mac}",
        f"{payload}.{stamp}.{mac[:-4]}AAAA",
        f"{payload}.{stamp}",
        payload,
        caller.token,
        "x",
        "%00",
    ]

    for link in forged:
        assert_no_recording(play(caller, f"/api/recordings/{link}"))
        assert recorder.last == []
    assert play(caller, f"/api/recordings/{good}").status_code == 302


def test_a_link_of_a_deleted_call_is_dead(factory: Factory) -> None:
    caller = factory.caller("agent")
    call_id = factory.call(caller.org_id, recording_url=ELSEWHERE)
    link = link_of(caller, call_id)

    caller.delete(f"{PATH}/{call_id}")

    assert_no_recording(play(caller, link))


FOREIGN = [
    "{other}/a.wav", "{own}/../{other}/a.wav", "{own}/x/../../{other}/a.wav", "{own}/%2e%2e/{other}/a.wav",
    "{own}/..%2f{other}/a.wav", "{own}/%2e%2e%2f{other}/a.wav", "{own}/%252e%252e/{other}/a.wav",
    "{own}/..\\{other}\\a.wav", "{own}/./a.wav", "/{other}/a.wav", "/{own}/a.wav", "{own}//../{other}/a.wav", "{own}",
    "{own}/", "{own}x/a.wav", "{own}/\n../{other}/a.wav", "{own}/a.wav?x=/../../{other}/a.wav", "{own}/a.wav#",
    "{own}/%ff", "call-recordings/{other}/a.wav", "../call-recordings/{other}/a.wav", "",
]  # fmt: skip


@pytest.mark.parametrize("pattern", FOREIGN)
def test_only_files_of_the_own_folder_are_signed(
    factory: Factory, recorder: RequestRecorder, caller: Caller, audio: bytes, pattern: str
) -> None:
    other = factory.org()
    upload(factory.settings, f"{other}/a.wav", audio)
    upload(factory.settings, f"{caller.org_id}/a.wav", audio)
    path = pattern.format(own=caller.org_id, other=other)
    call_id = factory.call(caller.org_id, recording_storage_path=path)

    assert_no_recording(caller.get(f"{PATH}/{call_id}/recording-url"))
    assert recorder.last == ["GET calls_feed"]
    assert_no_recording(play(caller, f"/api/recordings/{signed(caller, call_id)}"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", ""])
def test_only_addresses_of_the_web_are_passed_on(factory: Factory, caller: Caller, url: str) -> None:
    call_id = factory.call(caller.org_id, recording_url=url)

    assert_no_recording(caller.get(f"{PATH}/{call_id}/recording-url"))
    assert_no_recording(play(caller, f"/api/recordings/{signed(caller, call_id)}"))


def test_a_file_that_is_not_there_is_not_found(factory: Factory, caller: Caller) -> None:
    call_id = factory.call(caller.org_id, recording_storage_path=f"{caller.org_id}/gone.wav")

    assert_no_recording(caller.get(f"{PATH}/{call_id}/recording-url"))


TROUBLES = [
    StorageApiError("secret", "InternalError", 500),
    StorageApiError("secret", "x", "503"),
    httpx.ReadTimeout("secret"),
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_storage_out_of_order_is_a_503(
    factory: Factory, caller: Caller, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(SyncBucketProxy, "create_signed_url", fail)
    call_id = factory.call(caller.org_id, recording_storage_path=f"{caller.org_id}/a.wav")

    reply = caller.get(f"{PATH}/{call_id}/recording-url")

    assert (reply.status_code, reply.json["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert "secret" not in reply.text
