"""DELETE /api/calls-dashboard/:id."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder

PATH = "/api/calls-dashboard"
BOTH = pytest.mark.parametrize("call_type", ["inbound", "outbound"])


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("agent")


def deleted_at(factory: Factory, call_id: str) -> object:
    """When the row was marked; it must still be there."""
    rows = factory.sql.execute(
        "select deleted_at from public.call_logs where id = %(id)s"
        " union all select deleted_at from public.calls where id = %(id)s",
        {"id": call_id},
    ).fetchall()
    assert len(rows) == 1
    return rows[0]["deleted_at"]


@BOTH
def test_a_deleted_call_is_gone_from_everywhere(factory: Factory, caller: Caller, call_type: str) -> None:
    call_id, kept = factory.call(caller.org_id, call_type), factory.call(caller.org_id, call_type)

    reply = caller.delete(f"{PATH}/{call_id}")

    assert (reply.status_code, reply.json["success"]) == (200, True)
    assert [call["id"] for call in caller.get(PATH).json["calls"]] == [kept]
    assert [call["id"] for call in caller.get(PATH, call_type=call_type).json["calls"]] == [kept]
    assert caller.get(f"{PATH}/{call_id}").status_code == 404
    assert caller.get(f"{PATH}/{call_id}/recording-url").json["code"] == "CALL_NOT_FOUND"
    stats, summary = caller.get(f"{PATH}/stats").json, caller.get(f"{PATH}/analytics/summary").json
    assert (stats["totalCalls"], len(stats["recentCalls"]), summary["total_calls"]) == (1, 1, 1)
    assert deleted_at(factory, call_id)


@BOTH
def test_deleting_twice_succeeds_and_keeps_the_first_time(factory: Factory, caller: Caller, call_type: str) -> None:
    call_id = factory.call(caller.org_id, call_type)
    assert caller.delete(f"{PATH}/{call_id}").status_code == 200
    first = deleted_at(factory, call_id)

    reply = caller.delete(f"{PATH}/{call_id}")

    assert (reply.status_code, reply.json["success"]) == (200, True)
    assert deleted_at(factory, call_id) == first


@BOTH
def test_one_request_deletes(factory: Factory, caller: Caller, recorder: RequestRecorder, call_type: str) -> None:
    for expected in (["GET user_org_roles", "POST rpc/delete_call"], ["POST rpc/delete_call"]):
        caller.delete(f"{PATH}/{factory.call(caller.org_id, call_type)}")
        assert recorder.last == expected


def test_several_at_once_all_succeed(factory: Factory, caller: Caller) -> None:
    call_id = factory.call(caller.org_id)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: caller.delete(f"{PATH}/{call_id}"), range(16)))

    assert [reply.status_code for reply in replies] == [200] * 16


@BOTH
def test_a_viewer_may_not(factory: Factory, recorder: RequestRecorder, call_type: str) -> None:
    viewer = factory.caller("viewer")
    call_id = factory.call(viewer.org_id, call_type)

    for expected in (["GET user_org_roles"], []):
        reply = viewer.delete(f"{PATH}/{call_id}")
        assert (reply.status_code, reply.json["code"]) == (403, "FORBIDDEN")
        assert recorder.last == expected
    assert deleted_at(factory, call_id) is None


@BOTH
def test_a_call_of_another_organisation_stays(factory: Factory, caller: Caller, call_type: str) -> None:
    foreign = factory.call(factory.org(), call_type)

    replies = [caller.delete(f"{PATH}/{call_id}") for call_id in (foreign, str(uuid.uuid4()))]

    assert [(reply.status_code, reply.json["code"]) for reply in replies] == [(404, "CALL_NOT_FOUND")] * 2
    assert replies[0].json["error"] == replies[1].json["error"]
    assert deleted_at(factory, foreign) is None


@pytest.mark.parametrize("nonsense", ["1", "stats", "a0000000-0000-0000-0000-00000000000g"])
def test_a_malformed_id_is_a_400(caller: Caller, recorder: RequestRecorder, nonsense: str) -> None:
    reply = caller.delete(f"{PATH}/{nonsense}")

    assert (reply.status_code, reply.json["code"], recorder.last) == (400, "INVALID_UUID", [])
