"""ETag and 304 of what the dashboard polls."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from voxanne.services import contacts

PATHS = [
    "/api/calls-dashboard/stats",
    "/api/calls-dashboard/analytics/summary",
    "/api/analytics/dashboard-pulse",
    "/api/analytics/leads",
    "/api/analytics/recent-activity",
    "/api/analytics/dashboard-stats",
]
NUMBERS_ONLY = {PATHS[1], PATHS[2]}
CONTACTS = "/api/contacts/stats"
SAME_MINUTE = 30_000_000
_numbers = itertools.count(1)


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


@pytest.mark.parametrize("path", [*PATHS, CONTACTS])
def test_only_numbers_may_be_kept_by_the_browser(factory: Factory, path: str) -> None:
    kept = path in NUMBERS_ONLY | {CONTACTS}

    assert factory.caller().get(path).headers["Cache-Control"] == ("private, no-cache" if kept else "no-store")


def test_contact_statistics_are_a_304_for_no_request_until_a_contact_changes(
    factory: Factory, recorder: RequestRecorder
) -> None:
    caller = factory.caller()
    etag = caller.get(CONTACTS).headers["ETag"]

    assert again(caller, CONTACTS, etag) == 304
    assert recorder.last == []
    with factory.app.app_context(), contacts.changing(caller.org_id):
        CHANGES["a new contact"](factory, caller.org_id)
    assert again(caller, CONTACTS, etag) == 200


def _add(table: str, **values: object) -> Callable[[Factory, str], None]:
    def add(factory: Factory, org_id: str) -> None:
        number = next(_numbers)
        made = {name: value(number) if callable(value) else value for name, value in values.items()}
        factory.insert(f"public.{table}", org_id=org_id, **made)

    return add


def _run(statement: str) -> Callable[[Factory, str], None]:
    return lambda factory, org_id: factory.sql.execute(f"{statement} where org_id = %s", [org_id])


CHANGES: dict[str, Callable[[Factory, str], object]] = {
    "a new inbound call": _add("call_logs", status="completed"),
    "a new outbound call": _add("calls", status="missed"),
    "calls deleted": _run("update public.call_logs set deleted_at = now()"),
    "calls restored": _run("update public.call_logs set deleted_at = null"),
    "calls renamed": _run("update public.call_logs set caller_name = 'Ada'"),
    "calls become hot": _run("update public.calls set lead_temp = 'hot'"),
    "calls removed": _run("delete from public.calls"),
    "a new hot lead": _add(
        "hot_lead_alerts", lead_name="Anna", call_id=lambda number: f"00000000-0000-4000-8000-{number:012}"
    ),
    "hot leads scored": _run("update public.hot_lead_alerts set lead_score = 90"),
    "hot leads removed": _run("delete from public.hot_lead_alerts"),
    "a new appointment": _add(
        "appointments", service_type="Botox", scheduled_at=lambda number: f"{2030 + number}-01-01T09:00Z"
    ),
    "appointments cancelled": _run("update public.appointments set status = 'cancelled'"),
    "appointments removed": _run("delete from public.appointments"),
    "a new contact": _add("contacts", name="Anna", phone=lambda number: f"+1415{2_000_000 + number}"),
    "contacts renamed": _run("update public.contacts set name = 'Ada'"),
    "contacts removed": _run("delete from public.contacts"),
    "another time zone": lambda factory, org_id: factory.sql.execute(
        "update public.organizations set timezone = case timezone when 'UTC' then 'Asia/Tokyo' else 'UTC' end "
        "where id = %s",
        [org_id],
    ),
}
MAKERS = ["a new inbound call", "a new outbound call", "a new hot lead", "a new appointment", "a new contact"]


@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.sampled_from(PATHS), changes=st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=6))
def test_changes_of_any_kind_in_any_order_end_a_tag(factory: Factory, path: str, changes: list[str]) -> None:
    """Each kind of row is there, and then there again once removed, so that each change changes something."""
    caller = factory.caller()
    for change in changes:
        for made in MAKERS:
            CHANGES[made](factory, caller.org_id)
        etag = caller.get(path).headers["ETag"]
        assert again(caller, path, etag) == 304
        CHANGES[change](factory, caller.org_id)
        assert again(caller, path, etag) == 200, change


@pytest.mark.parametrize("path", PATHS)
def test_a_change_that_is_undone_ends_no_tag(factory: Factory, path: str) -> None:
    caller = factory.caller()
    etag = caller.get(path).headers["ETag"]
    with factory.sql.transaction(force_rollback=True):
        factory.call(caller.org_id)

    assert again(caller, path, etag) == 304
