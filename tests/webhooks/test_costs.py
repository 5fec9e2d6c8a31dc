"""How many requests to the database an event takes."""

from dataclasses import replace

import pytest
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Factory
from tests.recorder import RequestRecorder
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic
from voxanne import create_app

APPLY = "POST rpc/apply_call_event"
CONTACT_STATS = "/api/contacts/stats"
ROUTE = "POST rpc/route_webhook"
SETTINGS = ["GET organizations", "GET org_credentials"]


@pytest.fixture
def counted() -> RequestRecorder:
    return RequestRecorder()


@pytest.fixture
def cold(counted: RequestRecorder) -> Flask:
    """A program with empty caches."""
    app = create_app(settings_for_tests())
    counted.init_app(app)
    return app


@pytest.fixture
def here(factory: Factory, cold: Flask) -> Clinic:
    return clinic(factory, app=cold)


def test_a_cold_event_asks_for_each_cached_thing_once(here: Clinic, counted: RequestRecorder) -> None:
    here.send(events.status_update("in-progress", here.call()))
    assert sorted(counted.last) == sorted([ROUTE, *SETTINGS, APPLY])
    here.send(events.report(here.call()))
    assert counted.last == ["POST rpc/price_list", APPLY]


def test_a_cold_report_asks_for_the_price_list_as_well(here: Clinic, counted: RequestRecorder) -> None:
    here.send(events.report(here.call()))
    assert sorted(counted.last) == sorted([ROUTE, *SETTINGS, "POST rpc/price_list", APPLY])


def test_a_warm_event_costs_one_request(here: Clinic, counted: RequestRecorder) -> None:
    here.send(events.report(here.call(call_id=f"{here.call_id}-first")))
    for payload in (
        events.status_update("in-progress", here.call()),
        events.status_update("ended", here.call()),
        events.report(here.call()),
        events.report(here.call()),
    ):
        assert here.send(payload).status_code == 200
        assert counted.last == [APPLY]


def test_after_an_event_the_numbers_of_contacts_cost_none(
    factory: Factory, here: Clinic, counted: RequestRecorder
) -> None:
    owner = replace(factory.member(here.org_id), app=here.app)
    assert owner.get(CONTACT_STATS).json["total_leads"] == 0
    for number in range(3):
        number_of_caller = {"number": f"+1415555010{number}"}
        here.send(
            events.status_update(
                "in-progress", here.call(call_id=f"{here.call_id}-{number}", customer=number_of_caller)
            )
        )

        reply = owner.get(CONTACT_STATS)

        assert (reply.json["total_leads"], reply.json["cold_leads"], counted.last) == (number + 1, number + 1, [])


def test_what_is_only_acknowledged_costs_none(here: Clinic, counted: RequestRecorder) -> None:
    here.send(events.report(here.call()))
    for kind in ("transcript", "speech-update", "conversation-update", "hang", "something-new"):
        assert here.send(events.envelope(kind, here.call())).status_code == 200
        assert counted.last == []
