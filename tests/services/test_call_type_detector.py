"""Whether a call came in or went out, without asking the database twice."""

import pytest
from flask import Flask

from tests.factories import Caller, Factory
from voxanne import database
from voxanne.services import call_type_detector, inbound_config


def detect(app: Flask, caller: Caller, *, service: bool = False, **facts: str | None) -> tuple[str | None, list[str]]:
    with app.test_request_context():
        db = database.as_service() if service else database.for_principal(caller.token)
        found = call_type_detector.detect(db, caller.org_id, **facts)
        return found, [name for name, _ in database.request_log().entries]


def clinic(factory: Factory, **values) -> tuple[Caller, str]:
    caller = factory.caller("admin", **values)
    number = f"+44209{int(caller.org_id[:8], 16) % 10_000_000:07}"
    factory.insert("public.inbound_agent_config", org_id=caller.org_id, twilio_phone_number=number)
    return caller, number


@pytest.mark.parametrize(
    ("kind", "direction"), [("inboundPhoneCall", "inbound"), ("outboundPhoneCall", "outbound"), ("webCall", "inbound")]
)
def test_the_providers_own_type_decides_without_a_request(
    app: Flask, factory: Factory, kind: str, direction: str
) -> None:
    caller, number = clinic(factory)

    assert detect(app, caller, provider_type=kind, dialled=number) == (direction, [])
    assert detect(app, caller, provider_type=kind, dialled="+442070000000") == (direction, [])


def test_else_the_dialled_number_does_for_nothing_when_warm(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory)

    assert detect(app, caller, dialled=number) == ("inbound", ["GET organizations"])
    assert detect(app, caller, dialled=number) == ("inbound", [])
    assert detect(app, caller, dialled="+442070000000") == ("outbound", [])
    assert detect(app, caller, provider_type="vapi.unknown", dialled=number) == ("inbound", [])


def test_callers_and_webhooks_share_one_value(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory)
    viewer = factory.member(caller.org_id, "viewer")

    assert detect(app, viewer, dialled=number)[1] == ["GET organizations"]
    assert detect(app, viewer, service=True, dialled=number) == ("inbound", [])


def test_numbers_are_the_same_however_they_are_written(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory, telephony_country="GB")
    national = f"0{number[3:5]} {number[5:9]} {number[9:]}"

    for written in (number, f"{number[:3]} ({number[3:5]}) {number[5:]}", f"tel:{number}", national, f"00{number[1:]}"):
        assert detect(app, caller, dialled=written)[0] == "inbound", written


def test_a_national_number_belongs_to_the_organisations_country(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory, telephony_country="US")

    assert detect(app, caller, dialled=f"0{number[3:]}")[0] != "inbound"


@pytest.mark.parametrize("dialled", [None, "", "anonymous", "sip:eve@example.com"])
def test_no_number_no_answer(app: Flask, factory: Factory, dialled: str | None) -> None:
    caller, _ = clinic(factory)

    assert detect(app, caller, dialled=dialled)[0] is None


def test_no_config_no_answer_and_that_is_cached_too(app: Flask, factory: Factory) -> None:
    caller = factory.caller()

    assert detect(app, caller, dialled="+442070000000") == (None, ["GET organizations"])
    assert detect(app, caller, dialled="+442070000000") == (None, [])


def mapping(factory: Factory, org_id: str, number: str, **values) -> None:
    factory.insert("public.phone_number_mapping", org_id=org_id, inbound_phone_number=number, **values)


def test_each_number_of_a_clinic_is_its_own_in_the_same_one_request(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory)
    second, third, given_up = (number.replace("+44209", start) for start in ("+44201", "+44202", "+44203"))
    mapping(factory, caller.org_id, second)
    mapping(factory, caller.org_id, third)
    mapping(factory, caller.org_id, given_up, is_active=False)
    mapping(factory, factory.org(), given_up)

    assert detect(app, caller, dialled=second) == ("inbound", ["GET organizations"])
    assert detect(app, caller, dialled=third) == ("inbound", [])
    assert detect(app, caller, dialled=number) == ("inbound", [])
    assert detect(app, caller, dialled=given_up) == ("outbound", [])


def test_a_clinic_that_has_only_mapped_numbers_has_them_all_the_same(app: Flask, factory: Factory) -> None:
    caller = factory.caller(telephony_country="GB")
    number = f"+44204{int(caller.org_id[:8], 16) % 10_000_000:07}"
    mapping(factory, caller.org_id, number)

    assert detect(app, caller, service=True, dialled=f"0{number[3:]}") == ("inbound", ["GET organizations"])


def test_a_number_that_nobody_answers_is_the_clinics_still(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory)
    factory.sql.execute("update public.inbound_agent_config set is_active = false where org_id = %s", [caller.org_id])

    assert detect(app, caller, dialled=number)[0] == "inbound"
    with app.test_request_context():
        config = inbound_config.load(database.as_service(), caller.org_id)
    assert config
    assert config["is_active"] is False


def test_the_value_holds_each_fact_once(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory, telephony_country="GB")
    mapping(factory, caller.org_id, number)

    with app.test_request_context():
        config = inbound_config.load(database.as_service(), caller.org_id)

    assert config
    assert config == {
        "id": config["id"],
        "twilio_phone_number": number,
        "vapi_assistant_id": None,
        "vapi_phone_number_id": None,
        "is_active": True,
        "telephony_country": "GB",
        "status": "active",
        "numbers": [number],
        "agent": None,
    }


def test_a_mapping_counts_and_ends_at_once_although_the_cache_is_warm(app: Flask, factory: Factory) -> None:
    caller, number = clinic(factory)
    second = number.replace("+44209", "+44205")
    assert detect(app, caller, dialled=second)[0] == "outbound"

    saved = caller.post("/api/inbound/phone-mappings", {"inbound_phone_number": second})
    assert detect(app, caller, dialled=second)[0] == "inbound"

    path = f"/api/inbound/phone-mappings/{saved.json['mapping']['id']}"
    assert caller.delete(path).status_code == 200
    assert detect(app, caller, dialled=second)[0] == "outbound"


def test_a_config_without_a_number_gives_no_answer(app: Flask, factory: Factory) -> None:
    caller = factory.caller()
    factory.insert("public.inbound_agent_config", org_id=caller.org_id)

    assert detect(app, caller, dialled="+442070000000")[0] is None


def test_a_new_number_counts_at_once_although_the_cache_is_warm(app: Flask, factory: Factory) -> None:
    caller, old = clinic(factory)
    new = old.replace("+44209", "+44203")
    assert detect(app, caller, dialled=new)[0] == "outbound"

    assert caller.post("/api/founder-console/settings", {"twilio_from_number": new}).status_code == 200
    assert detect(app, caller, dialled=new)[0] == "inbound"
    assert detect(app, caller, dialled=old)[0] == "outbound"

    newest = old.replace("+44209", "+44204")
    reply = caller.post("/api/founder-console/agent/config", {"twilio": {"fromNumber": newest}})
    assert reply.status_code == 200
    assert detect(app, caller, dialled=newest)[0] == "inbound"
