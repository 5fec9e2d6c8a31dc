"""Who gets in where: walks every route of the application, so that a new one cannot be forgotten."""

import uuid
from typing import Any

import httpx
import pytest
from flask import Blueprint, Flask
from werkzeug.routing import Rule

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from tests.route_cases import CASES, CHANGING, MAKERS, method_of, own_path, path_of
from voxanne import create_app
from voxanne.config import Settings
from voxanne.routes import GUARDS

RULES = list(create_app(settings_for_tests()).url_map.iter_rules())
GUARDED = [rule for rule in RULES if rule.endpoint not in CASES or not CASES[rule.endpoint].public]
WITH_IDS = [rule for rule in RULES if any(name.endswith("_id") for name in rule.arguments)]
CHANGES = [
    rule for rule in RULES if method_of(rule) in CHANGING and not (rule.endpoint in CASES and CASES[rule.endpoint].own)
]
ROLES = ["viewer", "agent", "manager", "admin", "owner"]


def each(rules: list[Rule]) -> Any:
    return pytest.mark.parametrize("rule", rules, ids=[rule.endpoint for rule in rules])


def send(caller: Caller, rule: Rule, path: str) -> Any:
    body = CASES[rule.endpoint].payload
    return caller.request(method_of(rule), path, **({"json": body} if body is not None else {}))


def test_every_route_is_known_to_the_tests_and_none_that_is_gone() -> None:
    assert {rule.endpoint for rule in RULES} == set(CASES)


def test_every_blueprint_has_a_guard(app: Flask) -> None:
    assert set(app.blueprints) == set(GUARDS)


def test_a_blueprint_without_a_guard_is_closed(app_with) -> None:
    app, bp = app_with(), Blueprint("forgotten", __name__)
    bp.get("/api/forgotten")(lambda: "open")
    app.register_blueprint(bp)

    assert app.test_client().get("/api/forgotten").status_code == 401


def test_every_name_in_an_address_has_a_maker_and_every_id_is_checked() -> None:
    names = {name for rule in RULES for name in rule.arguments}

    assert names <= set(MAKERS)
    for rule in WITH_IDS:
        for name in rule.arguments:
            assert f"<uuid:{name}>" in rule.rule


def test_every_change_names_the_direct_write_that_it_stands_for() -> None:
    assert [rule.endpoint for rule in CHANGES if CASES[rule.endpoint].direct is None] == []


@each(GUARDED)
def test_no_token_no_entry(app: Flask, recorder: RequestRecorder, rule: Rule) -> None:
    path = path_of(rule, {name: str(uuid.uuid4()) for name in rule.arguments})
    stranger = Caller(app, "", "", "")

    reply = stranger.request(method_of(rule), path, headers={"Authorization": ""})

    assert (reply.status_code, reply.json["code"]) == (401, "UNAUTHENTICATED")
    assert recorder.last == []


@each(WITH_IDS)
def test_no_token_no_entry_even_with_a_malformed_id(app: Flask, rule: Rule) -> None:
    path = path_of(rule, dict.fromkeys(rule.arguments, "nonsense"))

    assert Caller(app, "", "", "").request(method_of(rule), path).status_code == 401


@pytest.mark.parametrize(
    "nonsense", ["nonsense", "1", "0" * 31, "a0000000-0000-0000-0000-00000000000g", "%00", "%27or%271"]
)
@each(WITH_IDS)
def test_a_malformed_id_is_told_so_without_a_look_up(
    factory: Factory, recorder: RequestRecorder, rule: Rule, nonsense: str
) -> None:
    path = path_of(rule, dict.fromkeys(rule.arguments, "X")).replace("X", nonsense)

    reply = send(factory.caller(), rule, path)

    assert (reply.status_code, reply.json["code"]) == (400, "INVALID_UUID")
    assert recorder.last == []


@each(WITH_IDS)
def test_a_row_of_another_organisation_is_as_missing_as_a_missing_one(factory: Factory, rule: Rule) -> None:
    mine, other = factory.caller(), factory.caller()
    foreign = own_path(rule, factory, other.org_id)
    missing = path_of(rule, {name: str(uuid.uuid4()) for name in rule.arguments})
    expected = CASES[rule.endpoint].foreign

    # The second round meets a warm cache.
    for path in [foreign, missing] * 2:
        reply = send(mine, rule, path)
        assert (path, reply.status_code) == (path, expected)
    bodies = [{**send(mine, rule, path).json, "request_id": None} for path in (foreign, missing)]
    assert bodies[0] == bodies[1]

    # What the owner has looked at must not be served to others, and the row must still be there.
    assert send(other, rule, foreign).status_code == CASES[rule.endpoint].ok
    assert send(mine, rule, foreign).status_code == expected


@pytest.mark.parametrize("role", ROLES)
@each(GUARDED)
def test_the_role_decides(factory: Factory, rule: Rule, role: str) -> None:
    caller, case = factory.caller(role), CASES[rule.endpoint]
    enough = not case.operator and ROLES.index(role) >= ROLES.index(case.role)

    for _ in range(2):
        reply = send(caller, rule, own_path(rule, factory, caller.org_id))
        assert reply.status_code == (case.ok if enough else 403), reply.json
        if not enough:
            assert reply.json["code"] == "FORBIDDEN"


@each([rule for rule in RULES if rule.endpoint in CASES and CASES[rule.endpoint].operator])
def test_operators_get_in_whatever_their_role(factory: Factory, rule: Rule) -> None:
    assert send(factory.operator(), rule, rule.rule).status_code == CASES[rule.endpoint].ok


@each(CHANGES)
def test_changes_need_more_than_a_viewer(rule: Rule) -> None:
    assert CASES[rule.endpoint].role != "viewer"


@each(CHANGES)
def test_without_an_accepted_membership_one_is_a_viewer(factory: Factory, rule: Rule) -> None:
    caller = factory.caller("owner")
    factory.member(caller.org_id, "owner")
    factory.sql.execute("update public.user_org_roles set accepted_at = null where user_id = %s", [caller.user_id])

    assert send(caller, rule, own_path(rule, factory, caller.org_id)).status_code == 403


@each(CHANGES)
def test_the_database_itself_refuses_a_viewer(factory: Factory, settings: Settings, rule: Rule) -> None:
    viewer, case = factory.caller("viewer"), CASES[rule.endpoint]
    assert case.direct
    method, table, body = case.direct
    ids = [MAKERS[name](factory, viewer.org_id) for name in rule.arguments]
    counted = f"select count(*) as rows, max(updated_at) as changed from public.{table} where org_id = %s"
    before = factory.sql.execute(counted, [viewer.org_id]).fetchone()

    reply = httpx.request(
        method,
        f"{settings.supabase_base}/rest/v1/{table}",
        params={"id": f"eq.{ids[0]}"} if ids else {},
        json=body and {**body, "org_id": viewer.org_id},
        headers={
            "apikey": settings.supabase_publishable_key.get_secret_value(),
            "Authorization": f"Bearer {viewer.token}",
        },
    )

    assert reply.status_code in {204, 403}, reply.text
    assert factory.sql.execute(counted, [viewer.org_id]).fetchone() == before
