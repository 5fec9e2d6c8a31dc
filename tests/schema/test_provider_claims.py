"""An id of the voice provider, or a number, is one organisation's, whichever tables name it."""

import itertools
import threading
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.blocked import wait_until_blocked
from tests.schema.caller import attempt
from tests.schema.rows import Clinic, insert, insertion, new_clinic, number, word

ASSISTANTS = (
    "agents",
    "inbound_agent_config",
    "outbound_agent_config",
    "integration_settings",
    "assistant_org_mapping",
)
PHONES = ("agents", "inbound_agent_config", "outbound_agent_config", "integration_settings", "phone_number_mapping")
NUMBERS = {
    "inbound_agent_config": "twilio_phone_number",
    "integration_settings": "twilio_from_number",
    "phone_number_mapping": "inbound_phone_number",
}
PAIRS = [
    *((one, other, "vapi_assistant_id", "vapi_assistant_id") for one, other in itertools.product(ASSISTANTS, repeat=2)),
    *(
        (one, other, "vapi_phone_number_id", "vapi_phone_number_id")
        for one, other in itertools.product(PHONES, repeat=2)
    ),
    *((one, other, NUMBERS[one], NUMBERS[other]) for one, other in itertools.product(NUMBERS, repeat=2)),
]


def row(clinic: Clinic, table: str, column: str, value: str, **more: Any) -> dict[str, Any]:
    needed: dict[str, Any] = {}
    if table == "agents":
        needed = {"role": "outbound", "name": "Olaf"}
    elif table == "assistant_org_mapping":
        needed = {"assistant_role": "inbound"}
    elif table == "phone_number_mapping":
        needed = {"inbound_phone_number": number()}
    return {"org_id": clinic.org_id, **needed, column: value, **more}


@pytest.mark.parametrize(("one", "other", "first", "second"), PAIRS)
def test_what_one_organisation_names_no_other_does(
    db: psycopg.Connection, one: str, other: str, first: str, second: str
) -> None:
    ours, theirs, value = new_clinic(db), new_clinic(db), number()
    insert(db, one, row(theirs, one, first, value))
    if one != other:
        insert(db, other, row(theirs, other, second, value))

    with pytest.raises(errors.UniqueViolation), db.transaction():
        insert(db, other, row(ours, other, second, value))
    mine = insert(db, other, row(ours, other, second, number()))
    with pytest.raises(errors.UniqueViolation), db.transaction():
        db.execute(f"update public.{other} set {second} = %s where id = %s", [value, mine])


def test_a_mapping_out_of_use_claims_nothing_until_it_is_brought_back(db: psycopg.Connection) -> None:
    ours, theirs, value = new_clinic(db), new_clinic(db), number()
    rested = row(theirs, "phone_number_mapping", "inbound_phone_number", value, is_active=False)
    mapping = insert(db, "phone_number_mapping", rested)
    insert(db, "integration_settings", row(ours, "integration_settings", "twilio_from_number", value))

    with pytest.raises(errors.UniqueViolation):
        db.execute("update public.phone_number_mapping set is_active = true where id = %s", [mapping])


def test_who_may_not_write_does_not_learn_what_is_taken(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    taken = number()
    insert(db, "phone_number_mapping", row(theirs, "phone_number_mapping", "inbound_phone_number", taken))

    for value in (taken, number()):
        attempted = insertion("phone_number_mapping", row(ours, "phone_number_mapping", "inbound_phone_number", value))
        assert attempt(db, ours.who("viewer"), *attempted) == "42501"


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0] < pair[1]], ids="-".join)
def test_two_who_name_it_at_once_take_turns(
    database_url: str, clinics: tuple[Clinic, Clinic], pair: tuple[str, str, str, str]
) -> None:
    (ours, theirs), (one, other, first, second) = clinics, pair
    value, outcome = number(), []

    def follow() -> None:
        with psycopg.connect(database_url) as connection:
            try:
                write(connection, other, row(theirs, other, second, value))
            except errors.UniqueViolation as error:
                outcome.append(error.sqlstate)
            connection.rollback()

    with psycopg.connect(database_url) as leader, psycopg.connect(database_url, autocommit=True) as observer:
        write(leader, one, row(ours, one, first, value))
        follower = threading.Thread(target=follow)
        follower.start()
        wait_until_blocked(observer, leader)
        leader.commit()
        follower.join()
        undo = {"phone_number_mapping", "assistant_org_mapping"}
        statement = f"delete from public.{one}" if one in undo else f"update public.{one} set {first} = null"
        leader.execute(f"{statement} where org_id = %s and {first} = %s", [ours.org_id, value])

    assert outcome == ["23505"]


def write(connection: psycopg.Connection, table: str, values: dict[str, Any]) -> None:
    """Insert the row, or where the organisation has its one row already, change that."""
    statement, adapted = insertion(table, values)
    key = {"agents": "org_id, role", "assistant_org_mapping": None, "phone_number_mapping": None}.get(table, "org_id")
    if key is not None:
        changed = next(name for name in values if name not in {"org_id", "role", "name"})
        text = f" on conflict ({key}) do update set {changed} = excluded.{changed}"
        connection.execute(statement.as_string(connection) + text, adapted)
    else:
        connection.execute(statement, adapted)


@pytest.mark.parametrize(
    "metadata",
    ['{"masked": "text"}', '{"masked": null}', '{"masked": ["x"]}', '{"masked": {"api_key": ["x"]}}',
     '{"masked": {"api_key": {"a": 1}}}', '{"masked": {"api_key": 7}}'],
)  # fmt: skip
def test_what_may_be_shown_of_a_secret_is_text(db: psycopg.Connection, ours: Clinic, metadata: str) -> None:
    change = "update public.org_credentials set metadata = %s where org_id = %s"
    db.execute(change, ['{"masked": {"api_key": "abcd"}, "account": "x"}', ours.org_id])
    with pytest.raises(errors.CheckViolation):
        db.execute(change, [metadata, ours.org_id])


def test_a_name_of_ones_own_can_stand_in_every_table(db: psycopg.Connection) -> None:
    clinic, value = new_clinic(db), word()
    for table in ASSISTANTS:
        insert(db, table, row(clinic, table, "vapi_assistant_id", value))
