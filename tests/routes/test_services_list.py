"""GET /api/services: slices of the price list."""

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder

PATH = "/api/services"


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("viewer")


def ids(reply) -> list[str]:
    assert reply.status_code == 200, reply.json
    return [row["id"] for row in reply.json["services"]]


def test_newest_first_with_the_total_in_one_request(
    caller: Caller, factory: Factory, recorder: RequestRecorder
) -> None:
    made = [factory.service(caller.org_id, created_at=f"2026-01-0{day}T00:00:00Z") for day in (1, 3, 2)]

    reply = caller.get(PATH)

    assert ids(reply) == [made[1], made[2], made[0]]
    assert reply.json["pagination"] == {"offset": 0, "limit": 50, "total": 3}
    assert recorder.last == ["GET services"]


def test_slices_of_equal_times_lose_and_double_nothing(caller: Caller, factory: Factory) -> None:
    made = {factory.service(caller.org_id, created_at="2026-01-01T00:00:00Z") for _ in range(9)}

    seen = [service for offset in range(0, 9, 2) for service in ids(caller.get(PATH, limit=2, offset=offset))]

    assert len(seen) == 9
    assert set(seen) == made


def test_an_organisation_without_services(caller: Caller) -> None:
    reply = caller.get(PATH)

    assert reply.json == {"services": [], "pagination": {"offset": 0, "limit": 50, "total": 0}}


@pytest.mark.parametrize("offset", [1, 2, 1_000_000_000])
def test_past_the_end_the_total_is_right(caller: Caller, factory: Factory, offset: int) -> None:
    factory.service(caller.org_id)

    reply = caller.get(PATH, offset=offset)

    assert ids(reply) == []
    assert reply.json["pagination"]["total"] == 1


BAD = [
    ("limit", "0"), ("limit", "101"), ("limit", "-1"), ("limit", "abc"), ("limit", "1.5"), ("limit", "1e1"),
    ("limit", "NaN"), ("limit", "99999999999"), ("offset", "-1"), ("offset", "abc"), ("offset", "99999999999"),
    ("offset", "\x00"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_bound_is_refused(caller: Caller, recorder: RequestRecorder, name: str, value: str) -> None:
    reply = caller.get(PATH, **{name: value})

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert [item["field"] for item in reply.json["details"]] == [name]
    assert recorder.last == []


def test_a_bound_given_twice_is_refused(caller: Caller) -> None:
    assert caller.request("GET", f"{PATH}?limit=1&limit=2").status_code == 400


@pytest.mark.parametrize("query", [{}, {"limit": ""}, {"limit": "", "offset": ""}, {"unknown": "x"}], ids=str)
def test_what_is_empty_or_unknown_is_passed_over(caller: Caller, query: dict[str, str]) -> None:
    assert caller.get(PATH, **query).json["pagination"] == {"offset": 0, "limit": 50, "total": 0}


def test_other_organisations_services_are_not_there(caller: Caller, factory: Factory) -> None:
    factory.service(factory.org())

    assert caller.get(PATH).json["pagination"]["total"] == 0
