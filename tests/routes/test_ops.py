"""/ops: who gets in, what the cookie is worth, what the page says when a source is away, and that it stays at home."""

import os
import re
import time
import uuid
from collections.abc import Callable
from html.parser import HTMLParser
from http.cookies import SimpleCookie

import httpx
import jwt
import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import settings_for_tests
from tests.factories import OPERATOR_ID, Factory
from voxanne import csrf
from voxanne.database import PROBE_SECONDS
from voxanne.queries import monitoring
from voxanne.routes.ops import ASSETS, COOKIE
from voxanne.services import glances, operations_page, operator_session, secrets
from voxanne.services.last_known import LastKnown, Sample, last_known
from voxanne.services.operator_session import OperatorSession

PASSWORD = "receptionist"
NOBODY, NO_REDIS = "http://127.0.0.1:1", "redis://127.0.0.1:1/0"
OWN = {"Sec-Fetch-Site": "same-origin"}
FORM = "For those who run the platform. Sign in with your ordinary account."
NUMBERS = "The last five minutes at a glance"
PATIENT = "Marker Patient"


class Account:
    """Somebody with an ordinary account at Supabase Auth."""

    def __init__(self) -> None:
        self.email = f"ops-{uuid.uuid4().hex[:12]}@clinic.example"
        body = {"email": self.email, "password": PASSWORD, "data": {"business_name": "Clinic O"}}
        self.user_id = auth("signup", body).json()["user"]["id"]


def auth(path: str, body: dict[str, object]) -> httpx.Response:
    headers = {"apikey": os.environ["SUPABASE_PUBLISHABLE_KEY"]}
    return httpx.post(f"{os.environ['SUPABASE_URL']}/auth/v1/{path}", json=body, headers=headers, timeout=20)


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


@pytest.fixture
def app(app_with: Callable[..., Flask], account: Account) -> Flask:
    return app_with(operators=(account.user_id,))


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **headers: str) -> TestResponse:
    return client.post("/ops/session", data={"email": email, "password": password}, headers=headers or OWN)


def cookie_of(reply: TestResponse):
    return SimpleCookie(reply.headers["Set-Cookie"])[COOKIE]


def holding(app: Flask, **values: object) -> FlaskClient:
    """A browser with a session cookie of those values."""
    client, now = app.test_client(), time.time()
    defaults = {
        "user_id": OPERATOR_ID,
        "email": None,
        "refresh_token": "x",
        "renew_at": now + 900,
        "ends_at": now + 900,
    }
    with app.app_context():
        client.set_cookie(COOKIE, OperatorSession(**{**defaults, **values}).seal(), path="/ops")
    return client


def read(sealed: str, app: Flask) -> OperatorSession:
    with app.app_context():
        return operator_session._open(sealed)


def test_without_a_session_there_is_a_form_and_no_number(app: Flask) -> None:
    reply = app.test_client().get("/ops")

    assert (reply.status_code, reply.mimetype) == (200, "text/html")
    assert FORM in reply.text
    assert NUMBERS not in reply.text
    assert "Set-Cookie" not in reply.headers


def test_a_bearer_token_is_no_session(factory: Factory) -> None:
    assert NUMBERS not in factory.operator().get("/ops").text


def test_an_operator_signs_in_sees_the_numbers_and_signs_out(app: Flask, account: Account) -> None:
    client = app.test_client()

    reply = sign_in(client, account.email)

    assert (reply.status_code, reply.headers["Location"]) == (303, "/ops")
    page = client.get("/ops")
    assert page.status_code == 200
    assert NUMBERS in page.text
    assert account.email in page.text
    token = read(client.get_cookie(COOKIE, path="/ops").value, app).refresh_token
    gone = client.post("/ops/session/end", headers=OWN)
    assert (gone.status_code, gone.headers["Location"]) == (303, "/ops")
    assert client.get_cookie(COOKIE, path="/ops") is None
    assert FORM in client.get("/ops").text
    assert auth("token?grant_type=refresh_token", {"refresh_token": token}).status_code == 400


def test_the_cookie_is_for_this_page_and_out_of_the_reach_of_scripts(app: Flask, account: Account) -> None:
    cookie = cookie_of(sign_in(app.test_client(), account.email))

    assert (cookie["path"], cookie["samesite"], cookie["httponly"], cookie["secure"]) == ("/ops", "Strict", True, True)
    assert cookie["domain"] == ""


def test_the_cookie_tells_its_bearer_nothing(app: Flask, account: Account) -> None:
    value = cookie_of(sign_in(app.test_client(), account.email)).value

    assert account.email not in value
    assert len(value) < 2000
    session = read(value, app)
    assert not session.refresh_token.startswith("eyJ"), "an access token, which other services would take"
    assert session.ends_at == pytest.approx(time.time() + 12 * 3600, abs=60)


def test_only_development_does_without_tls(app_with: Callable[..., Flask], account: Account) -> None:
    app = app_with(app_env="development", operators=(account.email,))

    assert cookie_of(sign_in(app.test_client(), account.email))["secure"] == ""


def test_an_ordinary_user_is_told_so_and_gets_no_session(app_with: Callable[..., Flask], account: Account) -> None:
    client = app_with().test_client()

    reply = sign_in(client, account.email)

    assert reply.status_code == 403
    assert "this page is for those who run the platform" in reply.text
    assert NUMBERS not in reply.text
    assert client.get_cookie(COOKIE, path="/ops") is None


def test_what_auth_began_for_an_ordinary_user_is_ended(app_with, account: Account, sql: psycopg.Connection) -> None:
    counted = "select count(*) as n from auth.sessions where user_id = %s"
    before = sql.execute(counted, [account.user_id]).fetchone()

    sign_in(app_with().test_client(), account.email)

    assert sql.execute(counted, [account.user_id]).fetchone() == before


@pytest.mark.parametrize("email", [None, "nobody@clinic.example"])
def test_a_wrong_password_and_an_unknown_address_are_the_same(app: Flask, account: Account, email: str | None) -> None:
    client = app.test_client()

    reply = sign_in(client, email or account.email, "wrong")

    assert reply.status_code == 401
    assert 'role="alert">The e-mail address or the password is wrong.' in reply.text
    assert client.get_cookie(COOKIE, path="/ops") is None


@pytest.mark.parametrize("form", [{}, {"email": "a@b.example"}, {"email": "x", "password": "x"}, {"password": "x"}])
def test_an_incomplete_form_is_not_sent_on(app: Flask, form: dict[str, str]) -> None:
    reply = app.test_client().post("/ops/session", data=form, headers=OWN)

    assert reply.status_code == 400
    assert "Please enter your e-mail address and your password." in reply.text
    assert '"0 requests"' in reply.headers["Server-Timing"]


def test_what_was_typed_comes_back_as_text(app: Flask) -> None:
    reply = sign_in(app.test_client(), '"><script>alert(1)</script>@x', "wrong")

    assert "<script" not in reply.text
    assert PASSWORD not in reply.text


def test_auth_being_away_is_said(app_with: Callable[..., Flask]) -> None:
    reply = sign_in(app_with(supabase_url=NOBODY).test_client(), "a@b.example")

    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert "The sign-in service can&#39;t be reached right now" in reply.text


@pytest.mark.parametrize("sender", ["one address", "one account"])
@pytest.mark.parametrize("redis", [True, False])
def test_attempts_are_limited(app_with, account: Account, redis: bool, sender: str) -> None:
    prefix = f"test-{uuid.uuid4().hex[:8]}"
    app = app_with(redis_url=os.environ["REDIS_URL"] if redis else None, cache_key_prefix=prefix, supabase_url=NOBODY)
    client, most = app.test_client(), {"one address": 10, "one account": 30}[sender]

    def attempt(number: int) -> TestResponse:
        email = account.email if sender == "one account" else f"{number}@clinic.example"
        address = "203.0.113.9" if sender == "one address" else f"203.0.113.{number}"
        data = {"email": email, "password": "wrong"}
        return client.post("/ops/session", data=data, headers={**OWN, "X-Forwarded-For": address})

    assert {attempt(number).status_code for number in range(most)} == {503}
    refused = attempt(most)

    assert refused.status_code == 429
    assert "Too many attempts to sign in" in refused.text
    assert '"0 requests"' in refused.headers["Server-Timing"]
    assert client.get("/ops").status_code == 200


@pytest.mark.parametrize("path", ["/ops/session", "/ops/session/end"])
@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://localhost"}, True),
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
    ids=str,
)
def test_forms_of_other_pages_are_refused(app: Flask, path: str, headers: dict[str, str], let_in: bool) -> None:
    reply = app.test_client().post(path, headers=headers)

    assert reply.status_code != 403 if let_in else reply.status_code == 403


def test_a_token_in_the_form_proves_nothing(app: Flask, account: Account) -> None:
    with app.app_context():
        form = {"email": account.email, "password": PASSWORD, "csrf_token": csrf.issue()[0]}

    assert (
        app.test_client().post("/ops/session", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )


def test_a_forged_request_does_not_end_the_session(app: Flask, account: Account) -> None:
    client = app.test_client()
    sign_in(client, account.email)

    reply = client.post("/ops/session/end", headers={"Sec-Fetch-Site": "same-site"})

    assert reply.status_code == 403


@pytest.mark.parametrize("path", ["/ops", "/ops/session", "/ops/session/end", "/ops/assets/ops.js"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_other_origin_may_read_it(app: Flask, path: str, method: str) -> None:
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}

    headers = app.test_client().open(path, method=method, headers=asked).headers

    assert not [name for name, _ in headers if name.startswith("Access-Control-")]


def test_nonsense_in_the_cookie_is_no_session(app: Flask) -> None:
    client = app.test_client()
    with app.app_context():
        secret = secrets.encrypt(str(uuid.uuid4()), "vapi", "api_key", "a secret of somebody's")
    for value in ("", "x", "gAAAA", secret):
        client.set_cookie(COOKIE, value, path="/ops")
        reply = client.get("/ops")
        assert reply.status_code == 401
        assert NUMBERS not in reply.text
        assert client.get_cookie(COOKIE, path="/ops") is None


def test_a_cookie_of_another_deployment_is_no_session(app_with: Callable[..., Flask]) -> None:
    other = app_with(supabase_service_role_key="another key")
    cookie = holding(other).get_cookie(COOKIE, path="/ops").value
    client = app_with().test_client()
    client.set_cookie(COOKIE, cookie, path="/ops")

    assert client.get("/ops").status_code == 401


def test_who_is_no_longer_named_is_out_at_once(app: Flask, app_with, account: Account) -> None:
    assert holding(app, user_id=account.user_id).get("/ops").status_code == 200

    reply = holding(app_with(operators=()), user_id=account.user_id).get("/ops")

    assert reply.status_code == 403
    assert NUMBERS not in reply.text


def test_a_session_ends_after_half_a_day_however_busy(app: Flask, account: Account) -> None:
    client = app.test_client()
    sealed = cookie_of(sign_in(client, account.email)).value
    first = read(sealed, app)
    with time_machine.travel(first.ends_at - 30, tick=False):
        session = operator_session.OperatorSession(**{**first.model_dump(), "renew_at": time.time() + 900})
        with app.app_context():
            assert operator_session.resume(session.seal()).ends_at == first.ends_at
    with time_machine.travel(first.ends_at + 1, tick=False):
        client = app.test_client()
        client.set_cookie(COOKIE, sealed, path="/ops")
        assert "Your session has ended" in client.get("/ops").text


def tokens(account: Account) -> str:
    body = {"email": account.email, "password": PASSWORD}
    return auth("token?grant_type=password", body).json()["refresh_token"]


def test_a_session_is_renewed_when_it_is_time(app: Flask, account: Account) -> None:
    client = holding(app, user_id=account.user_id, refresh_token=tokens(account), renew_at=0)
    before = read(client.get_cookie(COOKIE, path="/ops").value, app)

    assert client.get("/ops").status_code == 200

    after = read(client.get_cookie(COOKIE, path="/ops").value, app)
    assert after.refresh_token != before.refresh_token
    assert after.renew_at > time.time() + 3000
    assert after.ends_at == before.ends_at


def test_a_refresh_under_way_does_not_bring_back_a_session_that_was_ended(app: Flask, account: Account) -> None:
    client = app.test_client()
    sign_in(client, account.email)

    assert "Set-Cookie" not in client.get("/ops").headers


def test_who_is_banned_is_out_at_the_next_renewal(app: Flask, sql: psycopg.Connection) -> None:
    account = Account()
    app.config["SETTINGS"] = settings_for_tests(operators=(account.user_id,))
    client = holding(app, user_id=account.user_id, refresh_token=tokens(account), renew_at=0)
    sql.execute("update auth.users set banned_until = now() + interval '1 day' where id = %s", [account.user_id])

    reply = client.get("/ops")

    assert reply.status_code == 401
    assert client.get_cookie(COOKIE, path="/ops") is None


def test_a_session_of_somebody_else_is_not_renewed_into_an_operators(app: Flask, account: Account) -> None:
    stranger = Account()

    assert (
        holding(app, user_id=account.user_id, refresh_token=tokens(stranger), renew_at=0).get("/ops").status_code == 403
    )


def test_while_auth_is_away_the_session_goes_on(app_with: Callable[..., Flask]) -> None:
    app = app_with(supabase_url=NOBODY)
    client = holding(app, renew_at=0)

    reply = client.get("/ops")

    assert reply.status_code == 200
    assert NUMBERS in reply.text
    assert read(client.get_cookie(COOKIE, path="/ops").value, app).renew_at > time.time(), "asks at every refresh"


def test_signing_out_while_auth_is_away_forgets_the_session(app_with: Callable[..., Flask]) -> None:
    client = holding(app_with(supabase_url=NOBODY))

    assert client.post("/ops/session/end", headers=OWN).status_code == 303
    assert client.get_cookie(COOKIE, path="/ops") is None


def test_a_token_that_we_do_not_accept_begins_no_session(app: Flask, account: Account, monkeypatch) -> None:
    monkeypatch.setattr(app.extensions["voxanne.tokens"], "_secret", "another secret of at least 32 characters")

    assert sign_in(app.test_client(), account.email).status_code == 401


def test_the_page_is_told_to_load_from_here_only(app: Flask) -> None:
    for client in (app.test_client(), holding(app)):
        reply = client.get("/ops")
        policy = dict(part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert set(policy.values()) <= {"'none'", "'self'"}
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Frame-Options"] == "DENY"


class Loaded(HTMLParser):
    """What a page loads, leads to, and carries inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [given[name] or "" for name in ("src", "href", "action", "srcset", "data") if name in given]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


def test_the_page_names_no_other_host_and_carries_no_inline_script_or_style(app: Flask) -> None:
    for client in (app.test_client(), holding(app, user_id=app.config["SETTINGS"].operators[0])):
        text = client.get("/ops").text
        loaded = Loaded(text)
        assert loaded.addresses
        assert [one for one in loaded.addresses if not re.match(r"/ops|#", one)] == []
        assert loaded.inline == []
        assert "://" not in text


def test_every_asset_is_there_under_an_address_of_its_content(app: Flask) -> None:
    text = holding(app, user_id=app.config["SETTINGS"].operators[0]).get("/ops").text
    addresses = [one for one in Loaded(text).addresses if one.startswith("/ops/assets/")]

    assert len(addresses) == 5
    for address in addresses:
        reply = app.test_client().get(address)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["Cache-Control"]
        assert app.test_client().get(address.split("?")[0]).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fconfig.py", "%2e%2e/config.py", ".", "OPS.JS"])
def test_nothing_else_is_handed_out(app: Flask, name: str) -> None:
    assert app.test_client().get(f"/ops/assets/{name}").status_code == 404


def test_our_styles_and_script_name_no_other_host() -> None:
    for name in ("ops.js", "ops.css", "uPlot.min.css"):
        assert not re.search(r"https?://|@import|url\(", (ASSETS / name).read_text())


@pytest.fixture
def operator(app: Flask, account: Account) -> FlaskClient:
    return holding(app, user_id=account.user_id, email=account.email)


def test_the_address_of_the_form_leads_back_to_the_page(app: Flask) -> None:
    reply = app.test_client().get("/ops/session")

    assert (reply.status_code, reply.headers["Location"]) == (303, "/ops")


def test_after_a_mistake_the_cursor_is_where_it_was_made(app: Flask) -> None:
    client = app.test_client()

    empty, mistaken = client.get("/ops").text, sign_in(client, "nobody@clinic.example", "wrong").text

    for text, name in ((empty, "email"), (mistaken, "password")):
        assert re.findall(r'<input id="(\w+)"[^>]*\bautofocus\b', text) == [name]


def test_what_is_wrong_now_comes_with_what_to_do(
    factory: Factory, operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glances, "LEAST_READS", 1)
    factory.caller().get("/api/agents")

    text = operator.get("/ops").text

    advice = text.split('id="advice"')[1].split("</ul>")[0]
    assert "Cache: most misses are of agents (1 of its 1 reads)." in advice
    place = re.search(r'href="#([\w-]+)"', advice).group(1)
    assert f'id="{place}"' in text


def test_a_database_that_hangs_keeps_the_page_no_longer_than_a_health_check(operator: FlaskClient, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(monitoring, "database_state", lambda db: asked.append(db.session.timeout) or away())

    operator.get("/ops")

    assert [timeout.read for timeout in asked] == [PROBE_SECONDS]


def test_before_any_request_it_says_so(operator: FlaskClient) -> None:
    assert "Nobody has asked for anything in the last hour." in operator.get("/ops").text


def test_the_page_has_the_numbers_of_the_reports(app: Flask, operator: FlaskClient) -> None:
    for _ in range(3):
        app.test_client().get("/api/nowhere")

    text = operator.get("/ops").text

    assert re.search(r"<b>GET</b> \(unknown\)</th>", text)
    assert '<data value="3">3</data>' in text
    assert "Postgres 17" in text
    assert "connections:" in text
    assert re.search(r'<th scope="row">call_logs</th>', text)


def test_no_patient_is_ever_shown(factory: Factory, operator: FlaskClient, sql: psycopg.Connection) -> None:
    sql.execute("select extensions.pg_stat_statements_reset()")  # else it may not be among the slowest
    org_id = factory.org(name="Marker Clinic")
    factory.call(org_id, caller_name=PATIENT, phone_number="+14155559876")
    sql.execute(f"select pg_sleep(0.12), '{PATIENT}', '+14155559876'")

    text = operator.get("/ops").text

    assert "pg_sleep" in text
    assert not re.search(r"Marker|4155559876", text)
    assert org_id not in text


def test_a_statement_is_shown_as_text(operator: FlaskClient, sql: psycopg.Connection) -> None:
    sql.execute("select extensions.pg_stat_statements_reset()")
    sql.execute('select pg_sleep(0.12) as "<script>alert(1)</script>"')

    text = operator.get("/ops").text

    assert "&lt;script&gt;" in text
    assert "<script>" not in text


@pytest.mark.parametrize("missing", ["not installed", "not loaded"])
def test_it_says_so_where_statements_are_not_recorded(operator: FlaskClient, monkeypatch, missing: str) -> None:
    monkeypatch.setattr(monitoring, "slow_queries", lambda *_, **__: {"missing": missing})

    assert "The extension pg_stat_statements is" in operator.get("/ops").text


def test_with_the_database_away_the_rest_is_shown(app_with: Callable[..., Flask]) -> None:
    reply = holding(app_with(supabase_url=NOBODY)).get("/ops")

    assert reply.status_code == 200
    assert "The database can&#39;t be reached right now. There are no earlier numbers to show." in reply.text
    assert 'id="routes-rows"' in reply.text


def test_with_the_database_away_it_is_asked_once_only(app_with: Callable[..., Flask]) -> None:
    assert '"1 requests"' in holding(app_with(supabase_url=NOBODY)).get("/ops").headers["Server-Timing"]


def test_old_numbers_are_marked_with_their_time(operator: FlaskClient, monkeypatch) -> None:
    with time_machine.travel("2026-03-10T12:34:56Z", tick=False):
        client = holding(operator.application, user_id=operator.application.config["SETTINGS"].operators[0])
        assert "old" not in client.get("/ops").text.split('id="main"')[1]
    monkeypatch.setattr(monitoring, "database_state", away)
    monkeypatch.setattr(monitoring, "slow_queries", away)

    text = operator.get("/ops").text

    assert text.count("These are old numbers, from 12:34:56 UTC.") == 2
    assert "Postgres 17" in text
    assert text.count("from 12:34 UTC") == 2


def away(*_: object, **__: object) -> None:
    raise httpx.ConnectError("away")


def test_one_broken_report_leaves_the_others(operator: FlaskClient, monkeypatch) -> None:
    monkeypatch.setattr(monitoring, "slow_queries", refuse)

    text = operator.get("/ops").text

    assert "with an error; the log says which" in text
    assert "Postgres 17" in text


def refuse(*_: object, **__: object) -> None:
    raise monitoring_error


monitoring_error = operations_page.APIError({"code": "42883", "message": PATIENT})


def test_with_redis_away_it_says_whose_numbers_these_are(app_with: Callable[..., Flask]) -> None:
    reply = holding(app_with(redis_url=NO_REDIS)).get("/ops")

    assert reply.status_code == 200
    assert "Redis does not answer" in reply.text
    assert "one process only" in reply.text


@pytest.fixture
def two(app_with: Callable[..., Flask]) -> list[LastKnown]:
    """What two processes of a deployment remember."""
    prefix = f"test-{uuid.uuid4().hex[:8]}"
    apps = [app_with(redis_url=os.environ["REDIS_URL"], cache_key_prefix=prefix) for _ in "ab"]
    found = []
    for app in apps:
        with app.app_context():
            found.append(last_known())
    return found


def test_processes_share_what_they_remember(two: list[LastKnown]) -> None:
    first, second = two
    first.note_sample(Sample(1000, 5))
    first.keep("database", {"version": "17"})

    assert list(second.samples().values()) == [Sample(1000, 5)]
    assert second.last("database").report == {"version": "17"}


def test_samples_are_forgotten_after_an_hour(two: list[LastKnown], app: Flask) -> None:
    with app.app_context():
        alone = last_known()
    now = 1_770_000_000
    for memory in (*two, alone):
        with time_machine.travel(now, tick=False):
            memory.note_sample(Sample(1, 1))
        with time_machine.travel(now + 59 * 60, tick=False):
            assert len(memory.samples()) == 1
        with time_machine.travel(now + 60 * 60, tick=False):
            assert memory.samples() == {}


def test_without_redis_each_process_remembers_its_own(app_with: Callable[..., Flask]) -> None:
    for url in (None, NO_REDIS):
        with app_with(redis_url=url).app_context():
            memory = last_known()
        memory.note_sample(Sample(1, 2))
        memory.keep("database", {"a": 1})
        assert list(memory.samples().values()) == [Sample(1, 2)]
        assert memory.last("database").report == {"a": 1}
        assert memory.last("slow-queries") is None


def test_a_renewed_session_needs_an_access_token_that_is_really_ours(app: Flask, account: Account) -> None:
    forged = jwt.encode({"sub": account.user_id}, "another secret of at least 32 characters", algorithm="HS256")
    with app.app_context(), pytest.raises(operator_session.Unauthenticated):
        operator_session._session(type("Tokens", (), {"access_token": forged, "refresh_token": "x"}), ends_at=0)
