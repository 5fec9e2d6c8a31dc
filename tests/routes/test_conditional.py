"""ETag and 304 of what the dashboard polls."""

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder

PATHS = ["/api/calls-dashboard/stats", "/api/calls-dashboard/analytics/summary"]
SAME_MINUTE = 30_000_000


@pytest.fixture(autouse=True)
def _same_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxanne.conditional.current_minute", lambda: SAME_MINUTE)


def again(caller: Caller, path: str, etag: str) -> int:
    return caller.request("GET", path, headers={"If-None-Match": etag}).status_code


@pytest.mark.parametrize("path", PATHS)
def test_nothing_changed_is_a_304_for_one_request(factory: Factory, recorder: RequestRecorder, path: str) -> None:
    caller = factory.caller()
    factory.call(caller.org_id)
    first = caller.get(path)

    reply = caller.request("GET", path, headers={"If-None-Match": first.headers["ETag"]})

    assert reply.status_code == 304
    assert reply.data == b""
    assert reply.headers["ETag"] == first.headers["ETag"]
    assert recorder.last == ["POST rpc/call_version"]
    assert "version" not in first.json


@pytest.mark.parametrize("path", PATHS)
def test_any_change_of_a_call_ends_a_tag(factory: Factory, path: str) -> None:
    caller = factory.caller()
    call = factory.call(caller.org_id, "outbound")
    for change in ("caller_name = 'Ada'", "deleted_at = now()"):
        etag = caller.get(path).headers["ETag"]
        factory.sql.execute(f"update public.calls set {change} where id = %s", [call])
        assert again(caller, path, etag) == 200
    etag = caller.get(path).headers["ETag"]
    factory.call(caller.org_id)
    assert again(caller, path, etag) == 200


@pytest.mark.parametrize("path", PATHS)
def test_another_time_zone_and_another_minute_end_a_tag(
    factory: Factory, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    caller = factory.caller()
    etag = caller.get(path).headers["ETag"]
    factory.sql.execute("update public.organizations set timezone = 'Asia/Tokyo' where id = %s", [caller.org_id])
    assert again(caller, path, etag) == 200

    etag = caller.get(path).headers["ETag"]
    monkeypatch.setattr("voxanne.conditional.current_minute", lambda: SAME_MINUTE + 1)
    assert again(caller, path, etag) == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_tag_is_worth_nothing_to_another_organisation(factory: Factory, path: str) -> None:
    etag = factory.caller().get(path).headers["ETag"]

    assert again(factory.caller(), path, etag) == 200


def test_a_tag_belongs_to_its_window(factory: Factory) -> None:
    caller = factory.caller()
    etag = caller.get(PATHS[0], timeWindow="7d").headers["ETag"]

    assert again(caller, f"{PATHS[0]}?timeWindow=30d", etag) == 200
    assert again(caller, f"{PATHS[0]}?timeWindow=7d", etag) == 304


def test_only_numbers_may_be_kept_by_the_browser(factory: Factory) -> None:
    caller = factory.caller()

    assert caller.get(PATHS[0]).headers["Cache-Control"] == "no-store"
    assert caller.get(PATHS[1]).headers["Cache-Control"] == "private, no-cache"
