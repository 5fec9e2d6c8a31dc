"""GET /api/contacts/stats."""

import httpx
import pytest

from tests.factories import Factory
from tests.recorder import RequestRecorder
from voxanne.services import contacts

PATH = "/api/contacts/stats"


def add_contacts(factory: Factory, org_id: str, status: str, number: int) -> None:
    factory.sql.execute(
        "insert into public.contacts (org_id, name, phone, lead_status) "
        "select %s, 'Anna', '+1415' || (%s::int * 10000 + one), %s from generate_series(1, %s) as one",
        [org_id, {"hot": 2000, "warm": 3000, "cold": 4000}[status], status, number],
    )


def test_stats_of_an_organisation_without_contacts(factory: Factory) -> None:
    assert factory.caller().get(PATH).json == {"total_leads": 0, "hot_leads": 0, "warm_leads": 0, "cold_leads": 0}


@pytest.mark.parametrize("role", ["viewer", "owner"])
def test_stats_count_by_status_in_one_request_then_none(factory: Factory, recorder: RequestRecorder, role: str) -> None:
    caller, other = factory.caller(role), factory.caller()
    for status, number in {"hot": 3, "warm": 2, "cold": 1}.items():
        add_contacts(factory, caller.org_id, status, number)
        add_contacts(factory, other.org_id, status, 9)
    costs = []

    for _ in range(2):
        reply = caller.get(PATH)
        costs.append(recorder.last)
        assert reply.json == {"total_leads": 6, "hot_leads": 3, "warm_leads": 2, "cold_leads": 1}

    assert costs == [["POST rpc/contact_stats"], []]


def test_stats_are_right_beyond_a_thousand_contacts(factory: Factory) -> None:
    """D-18: numbers made from fetched rows stopped at PostgREST's 1000."""
    caller = factory.caller()
    add_contacts(factory, caller.org_id, "hot", 1500)
    add_contacts(factory, caller.org_id, "cold", 1)

    reply = caller.get(PATH)

    assert reply.json == {"total_leads": 1501, "hot_leads": 1500, "warm_leads": 0, "cold_leads": 1}


def test_a_failure_is_an_error_and_not_zeros(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-80: the original kept zeros for five minutes when the query failed."""
    caller = factory.caller()
    add_contacts(factory, caller.org_id, "hot", 1)
    with monkeypatch.context() as broken:
        broken.setattr("voxanne.queries.contacts.get_stats", _fail)
        assert caller.get(PATH).status_code == 503

    assert caller.get(PATH).json["hot_leads"] == 1


def _fail(*_: object) -> None:
    raise httpx.ReadTimeout("slow")


def test_a_change_is_seen_by_the_next_read(factory: Factory) -> None:
    caller = factory.caller()
    assert caller.get(PATH).json["hot_leads"] == 0

    with factory.app.app_context(), contacts.changing(caller.org_id):
        add_contacts(factory, caller.org_id, "hot", 1)

    assert caller.get(PATH).json["hot_leads"] == 1
