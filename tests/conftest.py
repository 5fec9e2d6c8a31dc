"""What every test can use: the application, a database connection of its own, organisations, members and calls."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg.rows import dict_row

from tests.cache.apps import wait_for_ever
from tests.factories import OPERATOR_ID, Factory
from tests.recorder import RequestRecorder
from voxanne import create_app, database, tokens
from voxanne.cache import engine, upkeep
from voxanne.config import Settings
from voxanne.integrations.vapi_fake import FakeVapi
from voxanne.services import health
from voxanne.services.webhooks import spool

METRICS_TOKEN = "a token that only these tests know"
CSRF_SECRET = "a secret that only these tests know, 32+"
WEBHOOK_SECRET = "the-webhook-secret-of-these-tests"
WISHES = upkeep.MAX_WISHES
# A machine that is busy with something else must not be taken for an outage.
PATIENCE_SECONDS = 10.0


# The same examples in every run. They use the database, so they have no deadline; each makes the rows that it needs, so
# that sharing fixtures does no harm.
hypothesis_settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def pytest_configure() -> None:
    hypothesis_settings.load_profile("repeatable")
    # Else what one test has read is loaded anew in the middle of another, and how much a read after a change costs
    # depends on who is first. `upkeep_on` is for tests that want it so.
    upkeep.LOOK_EVERY, upkeep.MAX_WISHES = 3600.0, 0
    be_patient()
    if "SUPABASE_URL" not in os.environ:
        pytest.exit("no Supabase: run the tests with `make test` (ARGS='-k list' for some of them)", returncode=4)
    if "REDIS_URL" in os.environ:
        # Nobody breaks this Redis.
        os.environ["REDIS_URL"] += f"?socket_timeout={PATIENCE_SECONDS}&socket_connect_timeout={PATIENCE_SECONDS}"


def be_patient() -> None:
    """Wait longer for what answers soon, unless the machine is busy; tests of an outage set limits of their own."""
    database.CONNECT_TIMEOUT_SECONDS = database.PROBE_SECONDS = database.CALLER_WAITS_SECONDS = PATIENCE_SECONDS
    health.PROBE_SECONDS = tokens.FETCH_TIMEOUT_SECONDS = spool.BUSY_SECONDS = engine.PATIENCE = PATIENCE_SECONDS


def settings_for_tests(**overrides: object) -> Settings:
    values = {
        "app_env": "test",
        "csrf_secret": CSRF_SECRET,
        "redis_url": None,
        "supabase_timeout_seconds": 30.0,
        "rate_limit_per_org_hour": 10**9,
        "rate_limit_failed_auth_minute": 10**9,
        "metrics_token": METRICS_TOKEN,
        "operators": (OPERATOR_ID,),
        "vapi_webhook_secret": WEBHOOK_SECRET,
        "webhook_rate_limit_per_minute": 10**9,
        "webhook_caller_waits_seconds": 7,
        # However busy the machine is.
        "slow_request_ms": 10**6,
    }
    return Settings(_env_file=None, **{**values, **overrides})


@pytest.fixture(scope="session")
def settings() -> Settings:
    return settings_for_tests()


@pytest.fixture(scope="session")
def recorder() -> RequestRecorder:
    return RequestRecorder()


@pytest.fixture(scope="session")
def app(settings: Settings, recorder: RequestRecorder) -> Flask:
    app = create_app(settings)
    recorder.init_app(app)
    return app


@pytest.fixture(scope="session")
def sql() -> Iterator[psycopg.Connection]:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture
def factory(sql: psycopg.Connection, app: Flask, settings: Settings) -> Factory:
    return Factory(sql, app, settings)


@pytest.fixture
def fake(app: Flask) -> FakeVapi:
    """The stand-in for the voice provider, which has been asked nothing yet."""
    provider: FakeVapi = app.extensions["voxanne.vapi"]
    provider.calls.clear()
    provider._failures.clear()
    return provider


@pytest.fixture
def app_with() -> Callable[..., Flask]:
    """Another application, with other settings; its requests are not in `recorder`."""
    return lambda **overrides: create_app(settings_for_tests(**overrides))


@pytest.fixture
def upkeep_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is loaded anew in the background after a change, as it is outside of the tests."""
    monkeypatch.setattr(upkeep, "MAX_WISHES", WISHES)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of the cache wait for each other, and keep Redis, however busy the machine is."""
    wait_for_ever(monkeypatch.setattr)


@pytest.fixture
def silence() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()
