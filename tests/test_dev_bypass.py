"""Development without a front end: only a request without an Authorization header is the first clinic's owner."""

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import settings_for_tests
from tests.factories import mint_token
from voxanne.config import DEVELOPMENT_ORG_ID, DEVELOPMENT_USER_ID, Settings

PATH = "/api/services"
BODY = {"name": "Botox", "price": 1, "keywords": ["botox"]}


@pytest.fixture
def client(app_with, sql: psycopg.Connection) -> Iterator[FlaskClient]:
    made = sql.execute(
        "insert into public.organizations (id, name) values (%s, 'Development') on conflict do nothing",
        [DEVELOPMENT_ORG_ID],
    ).rowcount
    yield app_with(app_env="development", dev_auth_bypass=True).test_client()
    if made:
        sql.execute("delete from public.organizations where id = %s", [DEVELOPMENT_ORG_ID])


def test_without_a_header_one_is_the_owner_of_the_first_clinic(client: FlaskClient) -> None:
    created = client.post(PATH, json=BODY)

    assert created.status_code == 201
    assert created.json["org_id"] == DEVELOPMENT_ORG_ID
    assert created.json["id"] in [row["id"] for row in client.get(PATH).json["services"]]
    assert client.delete(f"{PATH}/{created.json['id']}").status_code == 200


def test_the_gate_of_the_dashboard_opens(client: FlaskClient) -> None:
    reply = client.get(f"/api/orgs/validate/{DEVELOPMENT_ORG_ID}")

    assert (reply.status_code, reply.json["userId"]) == (200, DEVELOPMENT_USER_ID)


def test_rows_of_other_organisations_stay_hidden(client: FlaskClient, factory) -> None:
    other = factory.org()
    service, call = factory.service(other), factory.call(other)

    assert client.get(f"{PATH}/{service}").status_code == 404
    assert client.patch(f"{PATH}/{service}", json={"price": 2}).status_code == 404
    assert client.delete(f"/api/calls-dashboard/{call}").status_code == 404
    assert client.get(f"/api/orgs/validate/{other}").status_code == 403


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer undefined", "Bearer null", "Bearer garbage", "Basic eDp5", "x"]
)
def test_a_bad_header_is_no_absent_header(client: FlaskClient, header: str) -> None:
    # D-71: an invalid token must not turn into a working user.
    assert client.get(PATH, headers={"Authorization": header}).status_code == 401


def test_an_expired_token_stays_a_401(client: FlaskClient, settings: Settings) -> None:
    expired = mint_token(settings, user_id=DEVELOPMENT_USER_ID, org_id=DEVELOPMENT_ORG_ID, exp=1)

    assert client.get(PATH, headers={"Authorization": f"Bearer {expired}"}).status_code == 401


def test_a_good_token_is_used(client: FlaskClient, factory) -> None:
    viewer = factory.caller("viewer")
    service = factory.service(viewer.org_id)
    headers = {"Authorization": f"Bearer {viewer.token}"}

    assert [row["id"] for row in client.get(PATH, headers=headers).json["services"]] == [service]
    assert client.post(PATH, json=BODY, headers=headers).status_code == 403


def test_the_development_user_s_id_in_a_token_gives_no_rights(app: Flask, factory, settings: Settings) -> None:
    # The id is in the source code, and whoever could sign a token for it must still be a member.
    org_id = factory.org()
    token = mint_token(settings, user_id=DEVELOPMENT_USER_ID, org_id=org_id)
    caller = factory.member(org_id, "viewer")
    caller.token = token

    assert caller.post(PATH, BODY).status_code == 403


def test_it_is_off_unless_switched_on(app_with) -> None:
    assert settings_for_tests().dev_auth_bypass is False
    assert app_with(app_env="development").test_client().get(PATH).status_code == 401
