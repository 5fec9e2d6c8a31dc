"""Access tokens at the door: HS256 with the project's secret; what is refused, how, and at what cost."""

import base64
import hmac
import json
import time
import uuid
from typing import Any

import jwt
import pytest
import time_machine
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Factory, mint_token
from tests.recorder import RequestRecorder
from voxanne import tokens
from voxanne.config import Settings
from voxanne.tokens import KNOWN_SECONDS, LEEWAY_SECONDS, InvalidToken, TokenVerifier

PROBE = "/api/agents"
USER, ORG = str(uuid.uuid4()), str(uuid.uuid4())
UNSET = object()


@pytest.fixture
def ask(app: Flask, recorder: RequestRecorder):
    """Sends a request with this Authorization header and returns status and body; it must not reach Supabase."""

    def send(header: str | None) -> tuple[int, dict[str, Any]]:
        headers = {} if header is None else {"Authorization": header}
        reply = app.test_client().get(PROBE, headers=headers)
        assert recorder.last == []
        return reply.status_code, reply.json

    return send


def minted(settings: Settings, **claims: Any) -> str:
    """A token that is valid but for the claims given; UNSET leaves one out."""
    whole = jwt.decode(mint_token(settings, user_id=USER, org_id=ORG), options={"verify_signature": False})
    kept = {name: value for name, value in (whole | claims).items() if value is not UNSET}
    assert settings.supabase_jwt_secret
    return jwt.encode(kept, settings.supabase_jwt_secret.get_secret_value(), algorithm="HS256")


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_good_token_is_let_in(factory: Factory, recorder: RequestRecorder) -> None:
    assert factory.caller().get(PROBE).status_code == 200
    assert recorder.last == ["POST rpc/list_agents"]


def test_the_scheme_may_be_written_in_any_case(factory: Factory) -> None:
    caller = factory.caller()

    assert caller.request("GET", PROBE, headers={"Authorization": f"bEARER  {caller.token} "}).status_code == 200


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer undefined", "Bearer null", "Basic dTpw", "x"]
)
def test_no_token_is_told_so(ask, header: str | None) -> None:
    status, body = ask(header)

    assert (status, body["code"]) == (401, "UNAUTHENTICATED")
    assert "Authorization" in body["error"]


def test_a_token_without_a_scheme_is_told_so(ask, settings: Settings) -> None:
    status, body = ask(minted(settings))

    assert status == 401
    assert "Authorization" in body["error"]


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 60},
        {"exp": UNSET},
        {"exp": "soon"},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"aud": "anon"},
        {"aud": UNSET},
        {"iss": "https://another.example/auth/v1"},
        {"iss": UNSET},
        {"sub": UNSET},
        {"sub": 7},
        {"sub": ""},
        {"sub": "not-a-uuid"},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(ask, settings: Settings, claims: dict[str, Any]) -> None:
    status, body = ask(f"Bearer {minted(settings, **claims)}")

    assert status == 401
    assert body["error"] == "Invalid or expired token"


def test_a_clock_a_few_seconds_off_is_forgiven(settings: Settings) -> None:
    token = minted(settings, exp=int(time.time()) - 5)

    assert TokenVerifier(settings).verify(token)["sub"] == USER


@pytest.mark.parametrize(
    "app_metadata", [{}, UNSET, None, "text", [ORG], {"org_id": None}, {"org_id": ""}, {"org_id": "default"}], ids=str
)
def test_without_an_organisation_the_user_is_told_so(ask, settings: Settings, app_metadata: Any) -> None:
    status, body = ask(f"Bearer {minted(settings, app_metadata=app_metadata)}")

    assert status == 401
    assert "Missing org_id" in body["error"]


def test_an_organisation_that_the_user_wrote_himself_counts_for_nothing(ask, settings: Settings) -> None:
    # D-1: user_metadata can be changed by the user.
    status, body = ask(f"Bearer {minted(settings, app_metadata={}, user_metadata={'org_id': ORG}, org_id=ORG)}")

    assert status == 401
    assert "Missing org_id" in body["error"]


def test_neither_headers_nor_query_name_the_organisation(factory: Factory) -> None:
    mine, other = factory.caller(), factory.caller()
    factory.service(other.org_id)

    reply = mine.request("GET", f"/api/services?org_id={other.org_id}", headers={"X-Org-Id": other.org_id})

    assert reply.json["services"] == []


FORGERIES = {
    "garbage": "garbage",
    "two dots": "..",
    "alg none": f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment({'sub': USER})}.",
    "alg None": f"{segment({'alg': 'None'})}.{segment({'sub': USER})}.",
    "alg is a list": f"{segment({'alg': ['HS256']})}.{segment({})}.aa",
    "no alg": f"{segment({})}.{segment({})}.aa",
    "header is a list": f"{segment([1])}.{segment({})}.aa",
    "header is not UTF-8": f"{segment(bytes([255, 254]))}.{segment({})}.aa",
    "header nested 100,000 deep": f"{segment(b'[' * 100_000)}.{segment({})}.aa",
    "kid is a number": f"{segment({'alg': 'ES256', 'kid': 1})}.{segment({})}.aa",
    "200 kB": "a" * 200_000,
    "not ASCII": "é.é.é",
    "six parts": "a.b.c.d.e.f",
}


@pytest.mark.parametrize("token", FORGERIES.values(), ids=FORGERIES)
def test_a_forgery_is_refused(ask, token: str) -> None:
    status, body = ask(f"Bearer {token}")

    assert status == 401
    assert body["error"] == "Invalid or expired token"


@pytest.mark.parametrize(
    "key",
    ["another secret of at least thirty-two characters", "super-secret-jwt-token-with-at-least-32-characters-lon"],
)
def test_another_secret_is_refused(ask, settings: Settings, key: str) -> None:
    claims = jwt.decode(minted(settings), options={"verify_signature": False})

    assert ask(f"Bearer {jwt.encode(claims, key, algorithm='HS256')}")[0] == 401


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_secret_is_refused(ask, settings: Settings, algorithm: str) -> None:
    claims = jwt.decode(minted(settings), options={"verify_signature": False})
    assert settings.supabase_jwt_secret

    token = jwt.encode(claims, settings.supabase_jwt_secret.get_secret_value(), algorithm=algorithm)

    assert ask(f"Bearer {token}")[0] == 401


def test_a_changed_payload_is_refused(ask, settings: Settings) -> None:
    header, _, signature = minted(settings).split(".")
    _, payload, _ = minted(settings, app_metadata={"org_id": str(uuid.uuid4())}).split(".")

    assert ask(f"Bearer {header}.{payload}.{signature}")[0] == 401


@pytest.mark.parametrize("secret", ["", "null", "None"])
def test_without_a_secret_no_hs256_token_is_let_in(settings: Settings, secret: str) -> None:
    _, payload, _ = minted(settings).split(".")
    message = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{payload}"
    token = f"{message}.{segment(hmac.digest(secret.encode(), message.encode(), 'sha256'))}"

    with pytest.raises(InvalidToken):
        TokenVerifier(settings_for_tests(supabase_jwt_secret=None)).verify(token)


def test_a_refusal_names_the_scheme(app: Flask) -> None:
    assert app.test_client().get(PROBE).headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_was_good_is_refused_after_its_end(settings: Settings) -> None:
    verifier, now = TokenVerifier(settings), int(time.time())
    token = minted(settings, exp=now + 20)

    with time_machine.travel(now, tick=False) as clock:
        assert verifier.verify(token)["sub"] == USER
        clock.shift(20 + LEEWAY_SECONDS - 1)
        assert verifier.verify(token)["sub"] == USER
        clock.shift(2)
        with pytest.raises(InvalidToken):
            verifier.verify(token)


def test_a_good_token_is_looked_at_once_a_minute(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, now, looked = TokenVerifier(settings), int(time.time()), []
    check = verifier._checked
    monkeypatch.setattr(verifier, "_checked", lambda token: looked.append(token) or check(token))
    token = minted(settings, exp=now + 3600)

    with time_machine.travel(now, tick=False) as clock:
        for _ in range(5):
            verifier.verify(token)
        assert len(looked) == 1
        clock.shift(KNOWN_SECONDS + 1)
        verifier.verify(token)

    assert len(looked) == 2


def test_a_token_checked_while_the_keys_change_is_looked_at_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier, looked, token = TokenVerifier(settings), [], minted(settings)
    check = verifier._checked

    def check_meanwhile(token: str) -> dict[str, Any]:
        claims = check(token)
        looked.append(token)
        verifier._key_set.fetched = 1.0  # another thread has fetched them, and this one's key may be gone
        return claims

    monkeypatch.setattr(verifier, "_checked", check_meanwhile)
    for _ in range(3):
        verifier.verify(token)

    assert len(looked) == 2


def test_an_end_in_quotes_is_understood(settings: Settings) -> None:
    assert TokenVerifier(settings).verify(minted(settings, exp=str(int(time.time()) + 60)))["sub"] == USER


def test_there_is_an_end_to_how_many_tokens_are_known(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_KNOWN", 3)
    verifier = TokenVerifier(settings)

    for number in range(10):
        verifier.verify(minted(settings, session_id=str(number)))
        with pytest.raises(InvalidToken):
            verifier.verify(f"forged {number}")

    assert 0 < len(verifier._known) <= 3
