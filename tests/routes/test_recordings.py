"""GET /api/recordings/:link, for players that have no session."""

import time
import uuid
from urllib.parse import urlsplit

import httpx
import pytest
import time_machine

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from tests.recordings import AUDIO, CALLS, ELSEWHERE, assert_no_recording, link_of, play, signed, upload

BOTH = pytest.mark.parametrize("call_type", ["inbound", "outbound"])


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("viewer")


@BOTH
def test_the_link_in_a_row_plays_without_a_session(
    factory: Factory, recorder: RequestRecorder, caller: Caller, call_type: str
) -> None:
    path = upload(factory.settings, f"{caller.org_id}/{uuid.uuid4()}.wav")
    factory.call(caller.org_id, call_type, recording_storage_path=path)
    link = caller.get(CALLS).json["calls"][0]["recording_url"]
    assert recorder.last == ["POST rpc/list_calls_with_appointments"]

    reply = play(caller, urlsplit(link).path)

    assert reply.status_code == 302
    assert len(recorder.last) == 2
    assert httpx.get(reply.headers["Location"]).content == AUDIO


def test_a_link_lives_an_hour(factory: Factory, caller: Caller) -> None:
    link = link_of(caller, factory.call(caller.org_id, recording_url=ELSEWHERE))
    born = time.time()

    with time_machine.travel(born + 3590):
        assert play(caller, link).status_code == 302
    with time_machine.travel(born + 3610):
        assert_no_recording(play(caller, link))


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

    caller.delete(f"{CALLS}/{call_id}")

    assert_no_recording(play(caller, link))
