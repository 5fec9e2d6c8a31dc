"""ES256 and RS256 tokens, verified with the project's key set."""

import hmac
import json
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.conftest import settings_for_tests
from tests.key_server import Key, KeyServer
from voxanne import tokens
from voxanne.errors import DatabaseUnavailable
from voxanne.tokens import (
    FIRST_FETCH_EVERY_SECONDS,
    KEY_SET_LIFE_SECONDS,
    REFETCH_EVERY_SECONDS,
    InvalidToken,
    TokenVerifier,
)


@pytest.fixture(scope="module")
def es() -> Key:
    return Key("ES256", "es-1")


@pytest.fixture(scope="module")
def rs() -> Key:
    return Key("RS256", "rs-1")


@pytest.fixture
def server(es: Key, rs: Key) -> Iterator[KeyServer]:
    with KeyServer() as server:
        server.show(es, rs)
        yield server
        server.shutdown()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock, born = SimpleNamespace(now=1000.0), time.time() - 1000
    moved = SimpleNamespace(monotonic=lambda: clock.now, time=lambda: born + clock.now)
    monkeypatch.setattr(tokens, "time", moved)
    return clock


@pytest.fixture
def verifier(server: KeyServer) -> TokenVerifier:
    return TokenVerifier(settings_for_tests(supabase_url=server.url, supabase_jwt_secret="a secret of HS256 " * 3))


def refused(verifier: TokenVerifier, token: str) -> bool:
    with pytest.raises(InvalidToken):
        verifier.verify(token)
    return True


def test_both_kinds_of_key_are_good_and_the_set_is_fetched_once(verifier, server, es, rs) -> None:
    for key in [es, rs] * 10:
        assert verifier.verify(key.sign(server.url))["aud"] == "authenticated"

    assert server.requests == 1


def test_sixteen_threads_that_start_cold_fetch_once(verifier, server, es) -> None:
    token, done = es.sign(server.url), []
    threads = [threading.Thread(target=lambda: done.append(verifier.verify(token))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(done), server.requests) == (16, 1)


@pytest.mark.parametrize(
    "claims", [{"aud": "anon"}, {"iss": "https://other.example/auth/v1"}, {"exp": 1}, {"sub": None}], ids=str
)
def test_claims_are_checked_as_with_a_secret(verifier, server, es, claims) -> None:
    assert refused(verifier, es.sign(server.url, **claims))


def test_a_stranger_with_a_known_key_id_is_refused(verifier, server) -> None:
    assert refused(verifier, Key("ES256", "es-1").sign(server.url))


def test_a_key_does_not_serve_another_algorithm(verifier, server, es, rs) -> None:
    es_under_the_name_of_rs = Key("ES256", rs.kid)
    es_under_the_name_of_rs.private = es.private

    assert refused(verifier, es_under_the_name_of_rs.sign(server.url))


@pytest.mark.parametrize("secret", [None, "a secret of HS256 " * 3])
def test_the_public_key_is_no_secret(server, rs, secret) -> None:
    verifier = TokenVerifier(settings_for_tests(supabase_url=server.url, supabase_jwt_secret=secret))
    pem = rs.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _, payload, _ = rs.sign(server.url).split(".")
    forged = jwt.utils.base64url_encode(json.dumps({"alg": "HS256", "kid": rs.kid}).encode()).decode()
    message = f"{forged}.{payload}".encode()
    signature = jwt.utils.base64url_encode(hmac.digest(pem, message, "sha256"))

    assert refused(verifier, f"{message.decode()}.{signature.decode()}")


def test_unknown_key_ids_cause_a_fetch_every_half_minute_at_most(verifier, server, es, clock) -> None:
    verifier.verify(es.sign(server.url))
    for second in range(2 * (REFETCH_EVERY_SECONDS + 1) + 1):
        clock.now = 1000.0 + second
        assert refused(verifier, Key("ES256", f"unknown-{second}").sign(server.url))

    assert server.requests == 3


def test_a_new_key_is_found_and_the_old_one_ends_with_it(verifier, server, es, clock) -> None:
    old, new = es.sign(server.url), Key("ES256", "es-2")
    verifier.verify(old)
    server.show(new)
    clock.now += REFETCH_EVERY_SECONDS + 1

    assert verifier.verify(new.sign(server.url))
    assert refused(verifier, old)


def test_a_key_that_was_taken_away_ends_when_the_set_has_aged(verifier, server, es, rs, clock) -> None:
    token = es.sign(server.url)
    verifier.verify(token)
    server.show(rs)
    clock.now += KEY_SET_LIFE_SECONDS + 1

    assert refused(verifier, token)


def test_known_keys_outlive_their_source(verifier, server, es, clock) -> None:
    token = es.sign(server.url)
    verifier.verify(token)
    server.status = 500
    for _ in range(20):
        clock.now += KEY_SET_LIFE_SECONDS
        assert verifier.verify(token)
    server.shutdown()
    server.server_close()
    clock.now += KEY_SET_LIFE_SECONDS

    assert verifier.verify(token)


BROKEN = [b"<html>", b"", b"[]", b"{}", b'{"keys": null}', b'{"keys": {}}', b"\xff"]


@pytest.mark.parametrize("body", BROKEN, ids=str)
def test_a_broken_set_loses_no_key(verifier, server, es, clock, body) -> None:
    token = es.sign(server.url)
    verifier.verify(token)
    server.body = body
    clock.now += KEY_SET_LIFE_SECONDS + 1

    assert verifier.verify(token)


@pytest.mark.parametrize("body", BROKEN, ids=str)
def test_while_the_set_was_never_read_nobody_is_called_a_liar(verifier, server, es, clock, body) -> None:
    server.body = body
    with pytest.raises(DatabaseUnavailable):
        verifier.verify(es.sign(server.url))

    server.show(es)
    clock.now += FIRST_FETCH_EVERY_SECONDS + 1

    assert verifier.verify(es.sign(server.url))


def test_a_set_that_is_away_from_the_start_is_asked_every_two_seconds_at_most(verifier, server, es, clock) -> None:
    server.status = 500
    for _ in range(10):
        with pytest.raises(DatabaseUnavailable):
            verifier.verify(es.sign(server.url))

    assert server.requests == 1


@pytest.mark.parametrize("entries", [["x", None, 1], [{}], []], ids=str)
def test_a_set_without_a_usable_key_lets_nobody_in(verifier, server, es, entries) -> None:
    server.body = {"keys": entries}

    assert refused(verifier, es.sign(server.url))


def test_keys_of_kinds_that_we_do_not_know_are_passed_over(verifier, server, es) -> None:
    odd = [
        {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "odd"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"},
        {"kty": "EC", "crv": "P-256", "x": "!", "y": "!", "kid": "broken", "alg": "ES256"},
    ]
    server.body = {"keys": [*odd, es.public]}

    assert verifier.verify(es.sign(server.url))
