"""flask rotate-secrets."""

from datetime import UTC, datetime

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Factory
from voxanne import create_app
from voxanne.commands import secrets as command
from voxanne.services import secrets
from voxanne.services.webhooks import spool
from voxanne.services.webhooks.deliveries import Delivery

SECRET = "marker-secret-d41d8cd98f00b204"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def app_with_keys(*keys: str) -> Flask:
    return create_app(settings_for_tests(encryption_keys=",".join(keys)))


def run(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["rotate-secrets"])


@pytest.fixture(autouse=True)
def _nothing_else_is_stored(factory: Factory) -> None:
    factory.sql.execute("delete from public.org_credentials")


def store(factory: Factory, app: Flask) -> str:
    caller = factory.caller("admin")
    caller.app = app
    reply = caller.post("/api/founder-console/settings", {"vapi_api_key": SECRET, "vapi_webhook_secret": SECRET})
    assert reply.status_code == 200
    return caller.org_id


def readable(factory: Factory, app: Flask, org_id: str) -> bool:
    row = factory.sql.execute(
        "select encrypted_config from public.org_credentials where org_id = %s", [org_id]
    ).fetchone()
    with app.app_context():
        try:
            return secrets.decrypt_one(org_id, "vapi", "api_key", row["encrypted_config"]) == SECRET
        except secrets.SecretUnreadableError:
            return False


def test_it_re_encrypts_everything_in_batches_and_only_once(factory: Factory, monkeypatch) -> None:
    monkeypatch.setattr(command, "BATCH", 2)
    old, both, new = app_with_keys(OLD), app_with_keys(NEW, OLD), app_with_keys(NEW)
    orgs = [store(factory, old) for _ in range(5)]
    assert not any(readable(factory, new, org_id) for org_id in orgs)

    first, second = run(both), run(both)

    assert first.exit_code == second.exit_code == 0, first.output
    assert "5 re-encrypted, 0 were up to date, 0 unreadable" in first.output
    assert "0 re-encrypted, 5 were up to date, 0 unreadable" in second.output
    assert all(readable(factory, new, org_id) for org_id in orgs)
    assert SECRET not in first.output


def test_it_goes_on_after_one_that_cannot_be_read_and_names_it(factory: Factory) -> None:
    lost = store(factory, app_with_keys(Fernet.generate_key().decode()))
    kept = store(factory, app_with_keys(OLD))

    result = run(app_with_keys(NEW, OLD))

    assert result.exit_code == 1
    assert f"unreadable: vapi of organisation {lost}" in result.output
    assert readable(factory, app_with_keys(NEW), kept)


def test_a_secret_that_is_changed_meanwhile_keeps_the_change(factory: Factory, monkeypatch) -> None:
    org_id = store(factory, app_with_keys(OLD))
    rotate = secrets.rotate

    def slow(ciphertext: str) -> str:
        factory.sql.execute('update public.org_credentials set encrypted_config = \'{"api_key": "other"}\'')
        return rotate(ciphertext)

    monkeypatch.setattr(secrets, "rotate", slow)
    result = run(app_with_keys(NEW, OLD))

    row = factory.sql.execute(
        "select encrypted_config from public.org_credentials where org_id = %s", [org_id]
    ).fetchone()
    assert row["encrypted_config"] == '{"api_key": "other"}'
    assert "1 changed meanwhile: run this again" in result.output


def test_a_new_ciphertext_is_used_at_once(factory: Factory) -> None:
    both = app_with_keys(NEW, OLD)
    org_id = store(factory, both)
    before = factory.sql.execute("select encrypted_config from public.org_credentials").fetchone()
    with app_with_keys(OLD).app_context():
        stale = secrets.encrypt(org_id, "vapi", "webhook_secret", SECRET)
    factory.sql.execute("update public.org_credentials set encrypted_config = %s", [f'{{"webhook_secret": "{stale}"}}'])

    assert run(both).exit_code == 0

    after = factory.sql.execute("select encrypted_config from public.org_credentials").fetchone()
    assert after != before
    assert stale not in after["encrypted_config"]


def test_events_that_wait_on_this_machine_are_re_encrypted_too(tmp_path) -> None:
    def program(*keys: str) -> Flask:
        return create_app(settings_for_tests(encryption_keys=",".join(keys), webhook_spool_dir=tmp_path / "spool"))

    spool.of(program(OLD)).put(Delivery("vapi", None, {"message": {}}, datetime.now(UTC)))
    assert run(program(NEW, OLD)).exit_code == 0
    assert spool.of(program(NEW)).take().delivery.payload == {"message": {}}
    lost = run(program(OLD))
    assert lost.exit_code == 1
    assert "unreadable: 1 events kept" in lost.output


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"supabase_url": "http://127.0.0.1:1"}, "the database can't be reached"),
        ({"supabase_service_role_key": "sb_secret_of_another"}, "does not accept SUPABASE_SERVICE_ROLE_KEY"),
    ],
)
def test_where_the_database_does_not_answer_it_ends_with_a_sentence(wrong: dict[str, str], told: str) -> None:
    result = run(create_app(settings_for_tests(**wrong)))

    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    assert told in result.output
