"""GET /api/calls-dashboard/:id/recording-url, and what rows say of their recordings."""

import io
import uuid
import wave

import httpx
import pytest
from storage3._sync.file_api import SyncBucketProxy
from storage3.exceptions import StorageApiError

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from tests.recordings import AUDIO, CALLS, ELSEWHERE, FRAMES, assert_no_recording, link_of, play, signed, upload

BOTH = pytest.mark.parametrize("call_type", ["inbound", "outbound"])


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("viewer")


@BOTH
def test_a_stored_recording_plays(factory: Factory, recorder: RequestRecorder, caller: Caller, call_type: str) -> None:
    path = upload(factory.settings, f"{caller.org_id}/calls/{uuid.uuid4()}.wav")
    call_id = factory.call(caller.org_id, call_type, recording_storage_path=path, recording_status="completed")

    reply = caller.get(f"{CALLS}/{call_id}/recording-url")

    assert reply.status_code == 200
    assert recorder.last[0] == "GET calls_feed"
    assert [name.split("/call-recordings")[0] for name in recorder.last[1:]] == ["POST /storage/v1/object/sign"]
    assert (reply.json["source"], reply.json["expires_in"]) == ("storage", 3600)
    heard = httpx.get(reply.json["recording_url"])
    assert (heard.status_code, heard.headers["Content-Type"], heard.content) == (200, "audio/wav", AUDIO)
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert sound.getnframes() == FRAMES


def test_a_recording_that_the_provider_keeps_is_linked_there(
    factory: Factory, recorder: RequestRecorder, caller: Caller
) -> None:
    call_id = factory.call(caller.org_id, recording_url=ELSEWHERE, recording_storage_path="processing")

    reply = caller.get(f"{CALLS}/{call_id}/recording-url")

    assert recorder.last == ["GET calls_feed"]
    assert reply.json == {"recording_url": ELSEWHERE, "expires_in": 3600, "source": "provider"}
    assert play(caller, link_of(caller, call_id)).headers["Location"] == ELSEWHERE


def test_storage_comes_before_the_provider(factory: Factory, caller: Caller) -> None:
    path = upload(factory.settings, f"{caller.org_id}/{uuid.uuid4()}.wav")
    call_id = factory.call(caller.org_id, recording_url=ELSEWHERE, recording_storage_path=path)

    assert caller.get(f"{CALLS}/{call_id}/recording-url").json["source"] == "storage"


@pytest.mark.parametrize("path", [None, "processing"])
def test_without_a_recording_there_is_no_link(factory: Factory, caller: Caller, path: str | None) -> None:
    call_id = factory.call(caller.org_id, recording_storage_path=path, recording_status="processing")

    row = caller.get(CALLS).json["calls"][0]

    assert (row["recording_url"], row["has_recording"], row["recording_status"]) == (None, False, "processing")
    assert_no_recording(caller.get(f"{CALLS}/{call_id}/recording-url"))


FOREIGN = [
    "{other}/a.wav", "{own}/../{other}/a.wav", "{own}/x/../../{other}/a.wav", "{own}/%2e%2e/{other}/a.wav",
    "{own}/..%2f{other}/a.wav", "{own}/%2e%2e%2f{other}/a.wav", "{own}/%252e%252e/{other}/a.wav",
    "{own}/..\\{other}\\a.wav", "{own}/./a.wav", "/{other}/a.wav", "/{own}/a.wav", "{own}//../{other}/a.wav", "{own}",
    "{own}/", "{own}x/a.wav", "{own}/\n../{other}/a.wav", "{own}/a.wav?x=/../../{other}/a.wav", "{own}/a.wav#",
    "{own}/%ff", "call-recordings/{other}/a.wav", "../call-recordings/{other}/a.wav", "",
]  # fmt: skip


@pytest.mark.parametrize("pattern", FOREIGN)
def test_only_files_of_the_own_folder_are_signed(
    factory: Factory, recorder: RequestRecorder, caller: Caller, pattern: str
) -> None:
    other = factory.org()
    upload(factory.settings, f"{other}/a.wav")
    upload(factory.settings, f"{caller.org_id}/a.wav")
    path = pattern.format(own=caller.org_id, other=other)
    call_id = factory.call(caller.org_id, recording_storage_path=path)

    assert_no_recording(caller.get(f"{CALLS}/{call_id}/recording-url"))
    assert recorder.last == ["GET calls_feed"]
    assert_no_recording(play(caller, f"/api/recordings/{signed(caller, call_id)}"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", ""])
def test_only_addresses_of_the_web_are_passed_on(factory: Factory, caller: Caller, url: str) -> None:
    call_id = factory.call(caller.org_id, recording_url=url)

    assert_no_recording(caller.get(f"{CALLS}/{call_id}/recording-url"))
    assert_no_recording(play(caller, f"/api/recordings/{signed(caller, call_id)}"))


def test_a_file_that_is_not_there_is_not_found(factory: Factory, caller: Caller) -> None:
    call_id = factory.call(caller.org_id, recording_storage_path=f"{caller.org_id}/gone.wav")

    assert_no_recording(caller.get(f"{CALLS}/{call_id}/recording-url"))


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

    reply = caller.get(f"{CALLS}/{call_id}/recording-url")

    assert (reply.status_code, reply.json["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert "secret" not in reply.text
