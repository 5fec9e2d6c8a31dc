"""/api/inbound/phone-mappings and phone-lookup, and the routing of calls that goes by them."""

import itertools
import uuid

import pytest

from tests.factories import Factory
from tests.recorder import RequestRecorder
from voxanne import database
from voxanne.services import phone_mappings

PATH, LOOKUP = "/api/inbound/phone-mappings", "/api/inbound/phone-lookup"
_numbers = itertools.count(3_000_000)


def number() -> str:
    return f"+1415{next(_numbers)}"


def vapi_id() -> str:
    return f"phone-{uuid.uuid4()}"


def organization_for(factory: Factory, phone_id: str) -> tuple[str | None, int]:
    """Whose number is called, and how many requests to Supabase it took to know."""
    with factory.app.app_context():
        return phone_mappings.organization_for(phone_id), database.request_log().count


def test_a_number_is_added_and_listed(factory: Factory, recorder: RequestRecorder) -> None:
    caller, dialled, phone_id = factory.caller("manager"), number(), vapi_id()
    body = {"inbound_phone_number": dialled, "clinic_name": " Harbour ", "vapi_phone_number_id": phone_id}

    reply = caller.post(PATH, body)

    assert recorder.last[-1] == "POST rpc/save_phone_mapping"
    assert (reply.status_code, reply.json["success"]) == (200, True)
    mapping = reply.json["mapping"]
    assert mapping["inbound_phone_number"] == dialled
    assert (mapping["clinic_name"], mapping["vapi_phone_number_id"]) == ("Harbour", phone_id)
    assert (mapping["org_id"], mapping["is_active"], mapping["created_by"]) == (caller.org_id, True, caller.user_id)
    assert caller.get(PATH).json == {"success": True, "mappings": [mapping], "count": 1}


def test_numbers_are_listed_newest_first_and_only_ones_own(factory: Factory, recorder: RequestRecorder) -> None:
    caller, other = factory.caller(), factory.caller()
    for one in (caller, caller, other):
        one.post(PATH, {"inbound_phone_number": number()})
    added = [mapping["id"] for mapping in caller.get(PATH).json["mappings"]]
    caller.delete(f"{PATH}/{added[0]}")
    caller.post(PATH, {"inbound_phone_number": number()})

    reply = caller.get(PATH)

    assert recorder.last == ["GET phone_number_mapping"]
    assert reply.json["count"] == 2
    assert reply.json["mappings"][1]["id"] == added[1]
    assert {mapping["org_id"] for mapping in reply.json["mappings"]} == {caller.org_id}


@pytest.mark.parametrize(
    "written", ["+44 (0)20 7123 4567", "+44-20-7123-4567", "+442071234567", " +44 20 7123 4567 ", "tel:+44-2071234567"]
)
def test_numbers_are_kept_in_e164_however_they_are_written(factory: Factory, written: str) -> None:
    caller = factory.caller()
    factory.sql.execute("delete from public.phone_number_mapping where inbound_phone_number = '+442071234567'")

    reply = caller.post(PATH, {"inbound_phone_number": written})

    assert reply.json["mapping"]["inbound_phone_number"] == "+442071234567"
    assert caller.get(f"{LOOKUP}/{written}").json["org_id"] == caller.org_id


@pytest.mark.parametrize(
    ("country", "written", "stored"),
    [
        ("GB", "020 7123 4599", "+442071234599"),
        ("US", "(415) 555-0199", "+14155550199"),
        ("US", "1-415-555-0199", "+14155550199"),
    ],
)
def test_without_a_country_code_it_is_a_number_of_the_organisation_s_country(
    factory: Factory, recorder: RequestRecorder, country: str, written: str, stored: str
) -> None:
    caller, other = factory.caller(telephony_country=country), factory.caller(telephony_country="DE")
    factory.sql.execute("delete from public.phone_number_mapping where inbound_phone_number = %s", [stored])

    first = caller.post(PATH, {"inbound_phone_number": written})
    again = caller.post(PATH, {"inbound_phone_number": written})

    assert first.json["mapping"]["inbound_phone_number"] == stored
    assert again.json["mapping"]["id"] == first.json["mapping"]["id"]
    for _ in range(2):
        assert caller.get(f"{LOOKUP}/{written}").json["org_id"] == caller.org_id
    assert recorder.last == ["GET phone_number_mapping"]  # the country is in the cache
    assert other.get(f"{LOOKUP}/{written}").status_code in {400, 404}


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("US", "020 7123 45999"), ("US", "01 23 45 67 89"), ("US", "0000000000"), ("GB", "4155550199"),
        ("DE", "020 7123 4599"),
    ],
)  # fmt: skip
def test_a_number_that_is_none_in_the_organisation_s_country_is_refused(
    factory: Factory, country: str, written: str
) -> None:
    caller = factory.caller(telephony_country=country)

    reply = caller.post(PATH, {"inbound_phone_number": written})

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert reply.json["details"][0]["field"] == "inbound_phone_number"
    assert caller.get(f"{LOOKUP}/{written}").status_code == 400
    assert caller.get(PATH).json["count"] == 0


def test_what_is_stored_is_read_in_the_country_of_now(factory: Factory) -> None:
    caller = factory.caller(telephony_country="US")
    factory.sql.execute("delete from public.phone_number_mapping where inbound_phone_number = '+442071234598'")
    assert caller.get(f"{LOOKUP}/020 7123 4598").status_code == 400
    factory.sql.execute("update public.organizations set telephony_country = 'GB' where id = %s", [caller.org_id])

    reply = caller.post(PATH, {"inbound_phone_number": "020 7123 4598"})

    assert reply.json["mapping"]["inbound_phone_number"] == "+442071234598"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"inbound_phone_number": "415555"}, {"inbound_phone_number": "+1415555"}, {"inbound_phone_number": ""},
        {"inbound_phone_number": None}, {"inbound_phone_number": 14155550123}, {"inbound_phone_number": "+" * 99},
        {"inbound_phone_number": "+999" + "1" * 20}, {"inbound_phone_number": "+14155550123", "clinic_name": "x" * 201},
        {"inbound_phone_number": "+14155550123", "vapi_phone_number_id": ["x"]}, "x",
    ],
)  # fmt: skip
def test_bad_mappings_are_refused_before_any_look_up(factory: Factory, recorder: RequestRecorder, body) -> None:
    reply = factory.caller().post(PATH, body)

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert recorder.last == []


def test_saving_again_changes_what_is_given_and_keeps_the_rest(factory: Factory) -> None:
    caller, dialled, phone_id = factory.caller(), number(), vapi_id()
    first = caller.post(PATH, {"inbound_phone_number": dialled, "vapi_phone_number_id": phone_id})

    second = caller.post(PATH, {"inbound_phone_number": dialled, "clinic_name": "Harbour"})

    assert second.json["mapping"]["id"] == first.json["mapping"]["id"]
    assert second.json["mapping"]["vapi_phone_number_id"] == phone_id
    assert caller.get(PATH).json["count"] == 1


def test_a_number_is_taken_out_of_use_and_brought_back(factory: Factory) -> None:
    caller, dialled = factory.caller(), number()
    mapping = caller.post(PATH, {"inbound_phone_number": dialled}).json["mapping"]["id"]

    replies = [caller.delete(f"{PATH}/{mapping}") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert caller.get(PATH).json == {"success": True, "mappings": [], "count": 0}
    assert caller.get(f"{LOOKUP}/{dialled}").status_code == 404

    back = caller.post(PATH, {"inbound_phone_number": dialled}).json["mapping"]
    assert (back["id"], back["is_active"]) == (mapping, True)


@pytest.mark.parametrize("shared", ["inbound_phone_number", "vapi_phone_number_id"])
def test_what_another_organisation_uses_is_refused_without_saying_whose(factory: Factory, shared: str) -> None:
    """D-45: else its calls could be drawn away."""
    mine, other = factory.caller(), factory.caller(name="The other clinic")
    theirs = {"inbound_phone_number": number(), "vapi_phone_number_id": vapi_id()}
    other.post(PATH, theirs)

    reply = mine.post(PATH, {"inbound_phone_number": number(), shared: theirs[shared]})

    assert (reply.status_code, reply.json["code"]) == (409, "NUMBER_IN_USE")
    assert other.org_id not in reply.text
    assert "The other clinic" not in reply.text
    assert organization_for(factory, theirs["vapi_phone_number_id"])[0] == other.org_id
    assert mine.get(PATH).json["count"] == 0


def test_a_number_that_has_been_given_up_is_free(factory: Factory) -> None:
    old, new, dialled = factory.caller(), factory.caller(), number()
    mapping = old.post(PATH, {"inbound_phone_number": dialled}).json["mapping"]["id"]
    old.delete(f"{PATH}/{mapping}")

    assert new.post(PATH, {"inbound_phone_number": dialled}).status_code == 200
    assert old.post(PATH, {"inbound_phone_number": dialled}).status_code == 409


def test_look_up_answers_for_ones_own_numbers_only(factory: Factory, recorder: RequestRecorder) -> None:
    """D-45: the original told the organisation of any number."""
    mine, other, dialled = factory.caller("viewer"), factory.caller(), number()
    other.post(PATH, {"inbound_phone_number": dialled, "clinic_name": "Harbour"})

    found = other.get(f"{LOOKUP}/{dialled}")
    assert found.json == {
        "success": True, "org_id": other.org_id, "clinic_name": "Harbour", "inbound_phone_number": dialled,
    }  # fmt: skip
    assert recorder.last == ["GET phone_number_mapping"]
    foreign, unknown = mine.get(f"{LOOKUP}/{dialled}"), mine.get(f"{LOOKUP}/{number()}")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json["error"] == unknown.json["error"]
    assert mine.get(f"{LOOKUP}/nonsense").status_code == 400


def test_another_organisations_mapping_is_missing(factory: Factory) -> None:
    mine, other, dialled = factory.caller(), factory.caller(), number()
    mapping = other.post(PATH, {"inbound_phone_number": dialled}).json["mapping"]["id"]

    for target in (mapping, str(uuid.uuid4())):
        reply = mine.delete(f"{PATH}/{target}")
        assert (reply.status_code, reply.json["code"]) == (404, "PHONE_MAPPING_NOT_FOUND")
    assert other.get(PATH).json["count"] == 1


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_below_manager_numbers_are_read_only(factory: Factory, role: str) -> None:
    owner, dialled = factory.caller(), number()
    member = factory.member(owner.org_id, role)
    mapping = owner.post(PATH, {"inbound_phone_number": dialled}).json["mapping"]["id"]

    assert member.post(PATH, {"inbound_phone_number": number()}).status_code == 403
    assert member.delete(f"{PATH}/{mapping}").status_code == 403
    assert member.get(PATH).json["count"] == 1


def test_calls_are_routed_from_the_cache(factory: Factory) -> None:
    """D-80: the original asked for a column that did not exist, so no mapping was ever found."""
    caller, phone_id = factory.caller(), vapi_id()
    caller.post(PATH, {"inbound_phone_number": number(), "vapi_phone_number_id": phone_id})

    assert [organization_for(factory, phone_id) for _ in range(2)] == [(caller.org_id, 1), (caller.org_id, 0)]


def test_nobodys_number_is_an_answer_too(factory: Factory) -> None:
    """D-64: a cached "nobody's" was taken for a miss."""
    phone_id = vapi_id()

    assert [organization_for(factory, phone_id) for _ in range(2)] == [(None, 1), (None, 0)]
    assert organization_for(factory, "") == (None, 0)
    assert organization_for(factory, "x" * 201) == (None, 0)


def test_a_new_mapping_ends_the_answer_that_there_is_none(factory: Factory) -> None:
    caller, phone_id = factory.caller(), vapi_id()
    assert organization_for(factory, phone_id)[0] is None

    caller.post(PATH, {"inbound_phone_number": number(), "vapi_phone_number_id": phone_id})

    assert organization_for(factory, phone_id)[0] == caller.org_id


def test_a_changed_mapping_drops_the_old_id_and_the_new_one(factory: Factory) -> None:
    caller, dialled, old, new = factory.caller(), number(), vapi_id(), vapi_id()
    caller.post(PATH, {"inbound_phone_number": dialled, "vapi_phone_number_id": old})
    assert [organization_for(factory, one)[0] for one in (old, new)] == [caller.org_id, None]

    caller.post(PATH, {"inbound_phone_number": dialled, "vapi_phone_number_id": new})

    assert [organization_for(factory, one)[0] for one in (old, new)] == [None, caller.org_id]


def test_a_number_brought_back_without_its_id_is_routed_again(factory: Factory) -> None:
    caller, dialled, phone_id = factory.caller(), number(), vapi_id()
    body = {"inbound_phone_number": dialled, "vapi_phone_number_id": phone_id}
    mapping = caller.post(PATH, body).json["mapping"]["id"]
    caller.delete(f"{PATH}/{mapping}")
    assert organization_for(factory, phone_id)[0] is None

    caller.post(PATH, {"inbound_phone_number": dialled})

    assert organization_for(factory, phone_id)[0] == caller.org_id


def test_calls_follow_a_number_to_its_new_organisation(factory: Factory) -> None:
    old, new = factory.caller(), factory.caller()
    body = {"inbound_phone_number": number(), "vapi_phone_number_id": vapi_id()}
    mapping = old.post(PATH, body).json["mapping"]["id"]
    assert organization_for(factory, body["vapi_phone_number_id"])[0] == old.org_id

    old.delete(f"{PATH}/{mapping}")
    assert organization_for(factory, body["vapi_phone_number_id"])[0] is None
    new.post(PATH, body)

    assert organization_for(factory, body["vapi_phone_number_id"])[0] == new.org_id
