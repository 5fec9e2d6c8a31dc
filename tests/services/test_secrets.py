"""Secrets at rest: what is stored, what is shown, and that nothing else ever sees them."""

import logging
import os
import uuid
from collections.abc import Iterator

import pytest
import redis
from cryptography.fernet import Fernet
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory
from voxanne import create_app, database
from voxanne.config import ConfigError, load_settings
from voxanne.integrations.vapi import VapiError
from voxanne.observability.logs import PrivateFormatter
from voxanne.services import org_settings, secrets

ORG = "a0000000-0000-0000-0000-00000000000a"
MARKER = "marker-secret-d41d8cd98f00b204"
SETTINGS = "/api/founder-console/settings"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        (None, ""), ("", ""), ("a", "••••••••"), ("12345678", "••••••••"), ("123456789", "1234••••••••6789"),
        (MARKER, "mark••••••••b204"),
    ],
)  # fmt: skip
def test_mask(secret: str | None, shown: str) -> None:
    assert secrets.mask(secret) == shown
    assert secrets.is_masked(shown) is bool(shown)


@pytest.mark.parametrize("secret", ["x", MARKER, "ключ-😀", "x" * 500])
def test_what_is_encrypted_comes_back_and_looks_different_each_time(secret: str) -> None:
    one, two = (secrets.encrypt(ORG, "vapi", "api_key", secret) for _ in range(2))

    assert one != two
    assert secret not in one or len(secret) == 1
    assert secrets.decrypt(ORG, "vapi", "api_key", one) == secret


@pytest.mark.parametrize(
    "place", [(str(uuid.uuid4()), "vapi", "api_key"), (ORG, "twilio", "api_key"), (ORG, "vapi", "other")]
)
def test_a_ciphertext_opens_nothing_elsewhere(caplog, place: tuple[str, str, str]) -> None:
    ciphertext = secrets.encrypt(ORG, "vapi", "api_key", MARKER)

    with pytest.raises(secrets.SecretUnreadableError) as raised:
        secrets.decrypt(*place, ciphertext)

    assert MARKER not in str(raised.value)
    (record,) = caplog.records
    assert (record.org_id, record.provider, record.secret_field) == place
    assert ciphertext not in str(vars(record))


@pytest.mark.parametrize("broken", ["", "nonsense", "gAAAAAB", Fernet(OLD).encrypt(b'["x", "y"]').decode()])
def test_what_cannot_be_read_is_an_error_that_is_logged(caplog, broken: str) -> None:
    with pytest.raises(secrets.SecretUnreadableError):
        secrets.decrypt(ORG, "vapi", "api_key", broken)

    assert [record.message for record in caplog.records] == ["stored secret can't be decrypted, see ENCRYPTION_KEYS"]


@pytest.mark.parametrize("stored", [None, "", "{}", "nonsense", "[]", "7", '{"other": "x"}'])
def test_a_secret_that_is_not_there_is_none(stored: str | None) -> None:
    assert secrets.decrypt_one(ORG, "vapi", "api_key", stored) is None


def app_with_keys(*keys: str) -> Flask:
    return create_app(settings_for_tests(encryption_keys=",".join(keys)))


def test_every_key_decrypts_and_the_first_encrypts() -> None:
    with app_with_keys(OLD).app_context():
        old = secrets.encrypt(ORG, "vapi", "api_key", MARKER)
    with app_with_keys(NEW, OLD).app_context():
        assert secrets.decrypt(ORG, "vapi", "api_key", old) == MARKER
        new = secrets.encrypt(ORG, "vapi", "api_key", MARKER)
        rotated = secrets.rotate(old)
        assert secrets.rotate(rotated) == rotated
    with app_with_keys(NEW).app_context():
        assert secrets.decrypt(ORG, "vapi", "api_key", new) == MARKER
        assert secrets.decrypt(ORG, "vapi", "api_key", rotated) == MARKER
        with pytest.raises(secrets.SecretUnreadableError):
            secrets.decrypt(ORG, "vapi", "api_key", old)


@pytest.mark.parametrize("keys", ["short", f"{NEW},short", ",", "x" * 44])
def test_a_wrong_key_stops_the_start_and_is_not_quoted(keys: str) -> None:
    with pytest.raises(ConfigError, match="ENCRYPTION_KEYS") as raised:
        load_settings(_env_file=None, app_env="test", csrf_secret="c" * 32, encryption_keys=keys)

    assert keys == "," or keys not in str(raised.value)


def test_production_refuses_the_stand_in() -> None:
    with pytest.raises(ConfigError, match="VAPI_MODE"):
        load_settings(_env_file=None, app_env="production", csrf_secret="c" * 32, encryption_keys=NEW, vapi_mode="fake")


@pytest.mark.parametrize("keys", [f"{NEW},{OLD}", f" {NEW} , {OLD} ", f"{NEW}\n{OLD}"])
def test_keys_may_be_separated_as_one_likes(keys: str) -> None:
    settings = settings_for_tests(encryption_keys=keys)

    assert settings.fernet_keys == (NEW, OLD)
    assert NEW not in repr(settings)


def save(caller: Caller, **changes: str) -> None:
    reply = caller.post(SETTINGS, changes)
    assert reply.status_code == 200, reply.json
    assert MARKER not in reply.text


@pytest.fixture(params=["memory", "redis"])
def elsewhere(request: pytest.FixtureRequest, factory: Factory) -> Caller:
    """An administrator of an application with that cache."""
    url = os.environ["REDIS_URL"] if request.param == "redis" else None
    app = create_app(settings_for_tests(redis_url=url, cache_key_prefix=f"secrets-{uuid.uuid4().hex}"))
    caller = factory.caller("admin")
    caller.app = app
    return caller


def cached_bytes(app: Flask) -> bytes:
    """Everything that the cache of an application holds, keys and values."""
    settings = app.config["SETTINGS"]
    if settings.redis_url is None:
        (backend,) = app.extensions["cache"].values()
        return repr(backend._cache).encode()
    client = redis.Redis.from_url(settings.redis_url.get_secret_value())
    keys = list(client.scan_iter(f"*{settings.cache_key_prefix}*"))
    readers = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"none": lambda _: b"",  # it has expired since
    }
    return repr([(key, readers[client.type(key)](key)) for key in keys]).encode()


def test_no_secret_in_replies_caches_or_logs(elsewhere: Caller, caplog, factory: Factory) -> None:
    caplog.set_level(logging.DEBUG)
    app = elsewhere.app
    factory.insert("public.agents", org_id=elsewhere.org_id, role="inbound", name="Eve")
    app.extensions["voxanne.vapi"].fail(VapiError())
    number = f"+44206{int(elsewhere.org_id[:8], 16) % 10_000_000:07}"
    given = {"vapi_api_key": MARKER, "vapi_webhook_secret": MARKER, "twilio_auth_token": MARKER}

    save(elsewhere, **given, twilio_account_sid="AC" + "2" * 32, twilio_from_number=number)
    save(elsewhere, **given)
    replies = [
        elsewhere.get(SETTINGS),
        elsewhere.get("/api/founder-console/agent/config"),
        elsewhere.post(SETTINGS, {"vapi_api_key": f"{MARKER} {MARKER}", "twilio_from_number": MARKER}),
        elsewhere.post("/api/founder-console/agent/behavior", {"inbound": {"name": "Eva"}}),
        elsewhere.get(SETTINGS),
    ]
    with app.test_request_context():
        assert org_settings.secret(elsewhere.org_id, "vapi", "webhook_secret") == MARKER
        assert org_settings.secret(elsewhere.org_id, "twilio", "auth_token") == MARKER
        held = cached_bytes(app)

    assert not [reply for reply in replies if MARKER in reply.text]
    assert elsewhere.org_id.encode() in held
    assert b"org-secrets" in held
    assert b"twilio_account_sid" in held
    assert MARKER.encode() not in held
    formatter = PrivateFormatter()
    assert not [record for record in caplog.records if MARKER in formatter.format(record) + str(vars(record))]
    assert MARKER not in str(vars(app.extensions["voxanne.vapi"]))


def test_a_new_secret_is_used_at_once_although_the_cache_is_warm(elsewhere: Caller) -> None:
    def known() -> tuple[str | None, int]:
        with elsewhere.app.test_request_context():
            secret = org_settings.secret(elsewhere.org_id, "vapi", "webhook_secret")
            return secret, database.request_log().count

    assert known() == (None, 1)
    assert known() == (None, 0)
    save(elsewhere, vapi_webhook_secret="first-secret")
    assert known()[0] == "first-secret"
    assert known() == ("first-secret", 0)
    save(elsewhere, vapi_webhook_secret="second-secret")
    assert known()[0] == "second-secret"
    save(elsewhere, vapi_webhook_secret="")
    assert known()[0] is None


def test_settings_are_the_same_whoever_loads_them(app: Flask, factory: Factory) -> None:
    admin = factory.caller("admin", timezone="Asia/Kolkata")
    save(admin, vapi_api_key=MARKER, twilio_account_sid="AC" + "3" * 32)
    viewer = factory.member(admin.org_id, "viewer")
    seen = []
    for db in (database.for_principal(admin.token), database.for_principal(viewer.token), database.as_service()):
        with org_settings.changing(admin.org_id):
            pass
        seen.append(org_settings.load(db, admin.org_id))

    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["timezone"] == "Asia/Kolkata"
    assert seen[0]["providers"]["vapi"]["masked"] == {"api_key": "mark••••••••b204"}


def test_a_stranger_loads_nothing(factory: Factory) -> None:
    owner, stranger = factory.caller(), factory.caller()

    assert org_settings.load(database.for_principal(stranger.token), owner.org_id) is None
