"""CSRF tokens: handed out to everybody, checked on every change outside development."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Blueprint, Flask

from tests.factories import Factory
from voxanne import csrf

PATH = "/api/services"
BODY = {"name": "Botox", "price": 1, "keywords": ["botox"]}
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def issued(app: Flask) -> str:
    with app.app_context():
        return csrf.issue()[0]


@pytest.fixture
def post(app: Flask):
    """Sends a change with these headers and no session: 401 means that the CSRF check let it pass."""
    return lambda path=PATH, **headers: app.test_client().post(path, json=BODY, headers=headers)


def test_the_token_that_is_handed_out_works_and_lives_a_day_at_least(app: Flask, factory: Factory) -> None:
    reply = app.test_client().get("/api/csrf-token")

    assert set(reply.json) == {"csrfToken", "expiresAt"}
    left = datetime.fromisoformat(reply.json["expiresAt"]) - datetime.now(UTC)
    assert left >= timedelta(hours=24)
    assert (
        factory.caller().request("POST", PATH, json=BODY, headers={"X-CSRF-Token": reply.json["csrfToken"]}).status_code
        == 201
    )


def test_every_reply_brings_a_fresh_token(app: Flask, post) -> None:
    token = app.test_client().get("/api/nowhere").headers["X-CSRF-Token"]

    assert post(**{"X-CSRF-Token": token}).status_code == 401


@pytest.mark.parametrize("name", ["X-CSRF-Token", "x-csrf-token", "CSRF-Token"])
def test_either_header_will_do(app: Flask, post, name: str) -> None:
    assert post(**{name: issued(app)}).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_change_without_a_token_is_refused(app: Flask, method: str) -> None:
    path = PATH if method == "POST" else f"{PATH}/a0000000-0000-0000-0000-000000000001"

    reply = app.test_client().open(path, method=method, json=BODY)

    assert (reply.status_code, reply.json["code"]) == (403, "CSRF_TOKEN_MISSING")


def test_a_refused_change_changes_nothing(factory: Factory) -> None:
    caller = factory.caller()

    assert caller.request("POST", PATH, json=BODY, headers={"X-CSRF-Token": "forged"}).status_code == 403
    assert caller.get(PATH).json["services"] == []


@pytest.mark.parametrize(
    "forged",
    [
        "a" * 64,
        "x",
        ":",
        "1:",
        f"{int(time.time() * 1000)}:{'0' * 64}",
        "\uff19:x",
        "1" * 400 + ":x",
        "é:é",
        "-1:x",
        "nan:x",
    ],
)
def test_forged_tokens_are_refused(post, forged: str) -> None:
    reply = post(**{"X-CSRF-Token": forged.encode().decode("latin-1")})

    assert (reply.status_code, reply.json["code"]) == (403, "CSRF_TOKEN_INVALID")


def test_a_token_with_its_time_changed_is_refused(app: Flask, post) -> None:
    stamp, mac = issued(app).split(":")

    assert post(**{"X-CSRF-Token": f"{int(stamp) + 1}:{mac}"}).status_code == 403


def test_a_token_of_another_secret_is_refused(app_with, post) -> None:
    other = app_with(csrf_secret="another secret of at least 32 characters")

    assert post(**{"X-CSRF-Token": issued(other)}).status_code == 403


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(0), 401),
        (timedelta(hours=24), 401),
        (timedelta(days=6), 401),
        (timedelta(days=7, minutes=1), 403),
        (timedelta(days=400), 403),
        (timedelta(seconds=-30), 401),
        (timedelta(minutes=-10), 403),
    ],
    ids=str,
)
def test_a_token_has_its_time(app: Flask, post, age: timedelta, status: int) -> None:
    with time_machine.travel(NOW - age, tick=False):
        token = issued(app)
    with time_machine.travel(NOW, tick=False):
        assert post(**{"X-CSRF-Token": token}).status_code == status


@pytest.mark.parametrize("path", ["/api/webhooks/x", "/api/webhook/x", "/api/vapi/x"])
def test_providers_need_none(app_with, path: str) -> None:
    # D-4: they can't fetch one; their requests carry signatures. 401 is the guard's word.
    assert with_route(app_with(), path).test_client().post(path).status_code == 401


@pytest.mark.parametrize("path", ["/api/webhooksx", "/api/vapix", "/x/api/webhooks/x"])
def test_the_exception_is_not_wider_than_that(app_with, path: str) -> None:
    assert with_route(app_with(), path).test_client().post(path).status_code == 403


def with_route(app: Flask, path: str) -> Flask:
    bp = Blueprint("under_test", __name__)
    bp.post(path)(lambda: "")
    app.register_blueprint(bp)
    return app


def test_reading_needs_none(factory: Factory) -> None:
    assert factory.caller().get(PATH).status_code == 200


def test_in_development_it_is_off(app_with) -> None:
    app = app_with(app_env="development")

    assert app.test_client().post(PATH, json=BODY).status_code == 401


def test_an_unknown_address_is_a_404_even_without_a_token(app: Flask) -> None:
    assert app.test_client().post("/api/nowhere").status_code == 404
    assert app.test_client().put("/health").status_code == 405
