"""/api/services: the price list."""

import uuid
from datetime import datetime
from typing import Any

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder

PATH = "/api/services"
GOOD = {"name": "Botox", "price": 400, "keywords": ["botox", "wrinkles"]}


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("manager")


def stored(caller: Caller) -> list[dict[str, Any]]:
    return caller.get(PATH).json["services"]


def test_a_service_is_stored_as_sent(caller: Caller) -> None:
    reply = caller.post(PATH, GOOD)

    assert reply.status_code == 201
    row = reply.json
    assert set(row) == {"id", "org_id", "name", "price", "keywords", "created_at", "updated_at"}
    assert {name: row[name] for name in GOOD} == GOOD
    assert row["org_id"] == caller.org_id
    assert caller.get(f"{PATH}/{row['id']}").json == row
    assert stored(caller) == [row]


def test_spaces_around_words_go(caller: Caller) -> None:
    row = caller.post(PATH, {"name": "  Botox ", "price": 1, "keywords": [" a b ", "c"]}).json

    assert (row["name"], row["keywords"]) == ("Botox", ["a b", "c"])


def test_what_is_not_a_field_is_left_out(caller: Caller) -> None:
    foreign, fixed = str(uuid.uuid4()), "2001-01-01T00:00:00+00:00"

    row = caller.post(PATH, {**GOOD, "id": foreign, "org_id": foreign, "created_at": fixed}).json

    assert row["org_id"] == caller.org_id
    assert row["id"] != foreign
    assert row["created_at"] != fixed


@pytest.mark.parametrize("price", [0, 0.01, 0.1, 400, 8000.5, 99999999.99, -0.0, 1e3])
def test_a_price_comes_back_to_the_cent(caller: Caller, price: float) -> None:
    reply = caller.post(PATH, {**GOOD, "price": price})

    assert (reply.status_code, reply.json["price"]) == (201, price)


@pytest.mark.parametrize(
    "price", [100000000, -1, -0.01, 1.999, 0.001, "12", "NaN", "", True, False, None, [], {}, 1e300]
)
def test_a_price_that_is_none_is_refused(caller: Caller, recorder: RequestRecorder, price: Any) -> None:
    reply = caller.post(PATH, {**GOOD, "price": price})

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert [item["field"] for item in reply.json["details"]] == ["price"]
    assert recorder.last == []


WRONG = [
    ("name", ""), ("name", "  "), ("name", "x" * 201), ("name", 1), ("name", None), ("name", "a\x00b"),
    ("keywords", []), ("keywords", None), ("keywords", "botox"), ("keywords", [""]), ("keywords", [" "]),
    ("keywords", [1]), ("keywords", ["x" * 101]), ("keywords", ["x"] * 101), ("keywords", {"0": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("change", [False, True], ids=["POST", "PATCH"])
def test_wrong_words_are_refused(
    caller: Caller, recorder: RequestRecorder, change: bool, field: str, value: Any
) -> None:
    reply = (
        caller.patch(f"{PATH}/{uuid.uuid4()}", {field: value}) if change else caller.post(PATH, {**GOOD, field: value})
    )

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert recorder.last == []


@pytest.mark.parametrize("field", ["name", "price", "keywords"])
def test_each_field_is_needed(caller: Caller, field: str) -> None:
    reply = caller.post(PATH, {name: value for name, value in GOOD.items() if name != field})

    assert reply.status_code == 400
    assert [item["field"] for item in reply.json["details"]] == [field]


@pytest.mark.parametrize("name", ["x" * 200, "Größe, \"quoted\" (50%) \\ 'and' 💉", "حقن البوتوكس"])
def test_names_of_all_kinds_are_kept(caller: Caller, name: str) -> None:
    assert caller.post(PATH, {**GOOD, "name": name, "keywords": [name[:90].strip()]}).json["name"] == name


@pytest.mark.parametrize(
    "changes", [{"name": "New"}, {"price": 0}, {"keywords": ["new"]}, {"name": "New", "price": 9.5}]
)
def test_a_change_leaves_the_rest(caller: Caller, changes: dict[str, Any]) -> None:
    before = caller.post(PATH, GOOD).json

    after = caller.patch(f"{PATH}/{before['id']}", changes).json

    assert after == {**before, **changes, "updated_at": after["updated_at"]}
    assert datetime.fromisoformat(after["updated_at"]) > datetime.fromisoformat(before["updated_at"])


def test_an_empty_change_only_touches(caller: Caller) -> None:
    before = caller.post(PATH, GOOD).json

    for reply in [caller.patch(f"{PATH}/{before['id']}", {}), caller.request("PATCH", f"{PATH}/{before['id']}")]:
        assert reply.status_code == 200
        assert reply.json == {**before, "updated_at": reply.json["updated_at"]}
        assert reply.json["updated_at"] > before["updated_at"]


@pytest.mark.parametrize("field", ["name", "price", "keywords"])
def test_null_is_no_change(caller: Caller, field: str) -> None:
    service = caller.post(PATH, GOOD).json

    reply = caller.patch(f"{PATH}/{service['id']}", {field: None})

    assert reply.status_code == 400
    assert [item["field"] for item in reply.json["details"]] == [field]
    assert stored(caller) == [service]


def test_neither_id_nor_organisation_nor_birth_can_be_changed(caller: Caller) -> None:
    before = caller.post(PATH, GOOD).json
    other = {"id": str(uuid.uuid4()), "org_id": str(uuid.uuid4()), "created_at": "2001-01-01T00:00:00Z"}

    after = caller.patch(f"{PATH}/{before['id']}", other).json

    assert after == {**before, "updated_at": after["updated_at"]}


def test_each_price_is_remembered(caller: Caller, factory: Factory) -> None:
    service = caller.post(PATH, GOOD).json
    caller.patch(f"{PATH}/{service['id']}", {"price": 450})
    caller.patch(f"{PATH}/{service['id']}", {"name": "Botox forte"})
    caller.delete(f"{PATH}/{service['id']}")

    history = factory.sql.execute(
        "select old_price, new_price, changed_by::text from public.service_price_history where service_id = %s"
        " order by changed_at",
        [service["id"]],
    ).fetchall()

    assert [tuple(row.values()) for row in history] == [(None, 400, caller.user_id), (400, 450, caller.user_id)]


def test_a_deleted_service_is_gone(caller: Caller) -> None:
    service = caller.post(PATH, GOOD).json

    reply = caller.delete(f"{PATH}/{service['id']}")

    assert (reply.status_code, reply.json) == (200, {"success": True, "message": "Service deleted"})
    assert caller.get(f"{PATH}/{service['id']}").status_code == 404
    again = caller.delete(f"{PATH}/{service['id']}")
    assert (again.status_code, again.json["code"]) == (404, "SERVICE_NOT_FOUND")


def test_a_repeat_of_the_same_request_adds_nothing(caller: Caller) -> None:
    same = {"X-Request-ID": f"req_{uuid.uuid4()}"}

    replies = [caller.post(PATH, GOOD, headers=same) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [201] * 3
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len(stored(caller)) == 1


def test_what_is_not_a_repeat_is_added(caller: Caller, factory: Factory) -> None:
    same = {"X-Request-ID": f"req_{uuid.uuid4()}"}
    colleague = factory.member(caller.org_id, "manager")

    caller.post(PATH, GOOD, headers=same)
    caller.post(PATH, {**GOOD, "price": 1}, headers=same)
    colleague.post(PATH, GOOD, headers=same)
    caller.post(PATH, GOOD)

    assert len(stored(caller)) == 4


def test_a_request_id_of_another_organisation_finds_nothing(caller: Caller, factory: Factory) -> None:
    same = {"X-Request-ID": f"req_{uuid.uuid4()}"}
    other = factory.caller("manager")

    first = caller.post(PATH, GOOD, headers=same).json
    second = other.post(PATH, GOOD, headers=same).json

    assert first["id"] != second["id"]
    assert [row["org_id"] for row in stored(other)] == [other.org_id]
