"""Events of the voice provider: what is refused, what is applied, and what it costs."""

import json
import logging
import time

import httpx
import hypothesis
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import WEBHOOK_SECRET
from tests.services.webhooks import events
from tests.services.webhooks.clinic import URL, Clinic, clinic, post, signature
from voxanne.services import secrets
from voxanne.services.webhooks import breaker, live
from voxanne.services.webhooks import signature as signatures
from voxanne.services.webhooks.deliveries import Outcome
from voxanne.signals import webhook_event

URLS = [URL, "/api/webhooks/vapi"]
OWN_SECRET = "a-secret-of-this-clinic-alone"
NOTHING_BUT_ROUTING = {"POST rpc/route_webhook", "GET phone_number_mapping", "GET org_credentials"}


@pytest.fixture
def here(factory) -> Clinic:
    return clinic(factory)


@pytest.fixture
def heard():
    """The signals of the deliveries: (source, type, outcome)."""
    found = []

    def listen(_sender, **told):
        assert told["seconds"] >= 0
        found.append((told["source"], told["event_type"], told["outcome"]))

    webhook_event.connect(listen)
    yield found
    webhook_event.disconnect(listen)


def store_secret(here: Clinic, secret: str, field: str = "webhook_secret") -> None:
    with here.app.app_context():
        ciphertext = secrets.encrypt(here.org_id, "vapi", field, secret)
    config = orjson.dumps({field: ciphertext}).decode()
    here.factory.insert("public.org_credentials", org_id=here.org_id, provider="vapi", encrypted_config=config)


# ---- Whose an event is ----


@pytest.mark.parametrize("url", URLS)
def test_an_event_makes_the_calls_row(here, heard, url):
    reply = here.send(events.status_update("in-progress", here.call()), url=url)

    assert (reply.status_code, reply.json["received"], reply.json["success"]) == (200, True, True)
    assert (reply.json["outcome"], reply.json["processed"]) == ("applied", "sync")
    assert reply.json["jobId"] == f"status:{here.call_id}:in-progress"
    (row,) = here.rows("public.call_logs")
    assert (row["vapi_call_id"], row["status"], row["phone_number"]) == (here.call_id, "in-progress", events.CALLER)
    assert (row["from_number"], row["to_number"]) == (events.CALLER, here.number)
    assert row["started_at"] == events.STARTED
    assert heard == [("vapi", "status-update", "applied")]


def test_no_signature_no_look(here, recorder, heard):
    body = orjson.dumps(events.report(here.call()))

    for url in URLS:
        reply = post(here.app, body, {}, url=url)
        assert (reply.status_code, reply.json["code"]) == (401, "UNAUTHENTICATED")
        assert recorder.last == []
    assert not any(here.written().values())
    assert heard == [("vapi", "other", "refused")] * 2


def bad_headers(body):
    good = signature(body)
    now = time.time()
    return {
        "another secret": signature(body, "another-secret-altogether"),
        "another body": signature(body + b" "),
        "another time": {**good, "X-Timestamp": str(int(now) - 1)},
        "no time": {"X-Signature": good["X-Signature"]},
        "too old": signature(body, stamp=str(int(now - 301))),
        "from the future": signature(body, stamp=str(int(now + 360))),
        "too old in milliseconds": signature(body, stamp=str(int((now - 302) * 1000))),
        "a time that is none": signature(body, stamp="yesterday"),
        "a time with a sign": signature(body, stamp=f"-{int(now)}"),
        "a huge time": signature(body, stamp="9" * 40),
        "a time in other digits": {**good, "X-Timestamp": "١٧٦٣٨٠٥٦٠٠".encode().decode("latin-1")},
        "too short": {**good, "X-Signature": good["X-Signature"][:-1]},
        "too long": {**good, "X-Signature": good["X-Signature"] + "0"},
        "empty": {**good, "X-Signature": ""},
        "no hex": {**good, "X-Signature": "z" * 64},
        "beyond ASCII": {**good, "X-Signature": "é" * 64},
        "twice": {**good, "X-Signature": f"{good['X-Signature']},{good['X-Signature']}"},
        "another prefix": {**good, "X-Signature": f"sha512={good['X-Signature']}"},
        "the secret, in the wrong place": {**good, "X-Signature": WEBHOOK_SECRET},
        "a wrong shared secret": {"X-Vapi-Secret": "another-secret-altogether"},
        "a shared secret beyond ASCII": {"X-Vapi-Secret": "é" * 20},
        "an empty shared secret": {"X-Vapi-Secret": ""},
        "a wrong signature beside the shared secret": {
            **good,
            "X-Signature": "0" * 64,
            "X-Vapi-Secret": WEBHOOK_SECRET,
        },
    }


@pytest.mark.parametrize("kind", bad_headers(b""))
def test_a_forged_event_is_refused_and_nothing_written(here, recorder, heard, kind):
    body = orjson.dumps(events.report(here.call()))

    for url in URLS:
        reply = post(here.app, body, bad_headers(body)[kind], url=url)
        assert (reply.status_code, reply.json["code"]) == (401, "UNAUTHENTICATED")
        assert set(recorder.last) <= NOTHING_BUT_ROUTING
    assert recorder.last == []
    assert not any(here.written().values())
    assert {outcome for _, _, outcome in heard} == {"refused"}


def good_headers(body):
    good = signature(body)
    now = time.time()
    return {
        "seconds": good,
        "milliseconds": signature(body, stamp=str(int(now * 1000))),
        "nearly too old": signature(body, stamp=str(int(now - 280))),
        "a slow clock of ours": signature(body, stamp=str(int(now + 280))),
        "upper case": {**good, "X-Signature": good["X-Signature"].upper()},
        "a prefix": {**good, "X-Signature": f"sha256={good['X-Signature']}"},
        "the shared secret": {"X-Vapi-Secret": WEBHOOK_SECRET},
        "both": {**good, "X-Vapi-Secret": "whatever"},
    }


@pytest.mark.parametrize("kind", good_headers(b""))
def test_every_right_form_of_a_signature_is_accepted(here, kind):
    body = orjson.dumps(events.status_update("ringing", here.call()))

    assert post(here.app, body, good_headers(body)[kind]).json["outcome"] == "applied"


def test_the_headers_names_the_older_scheme_and_several_secrets_are_settings(factory, app_with):
    app = app_with(
        vapi_signature_header="X-Hmac", vapi_timestamp_header="X-When", vapi_shared_secret_accepted=False,
        vapi_webhook_secret="the-new-secret-of-the-platform, the-old-secret-of-the-platform",
    )  # fmt: skip
    here = clinic(factory, app=app)

    def sent(headers):
        body = orjson.dumps(events.status_update("ringing", here.call()))
        return post(app, body, headers(body)).status_code

    def renamed(secret):
        return lambda body: dict(zip(("X-Hmac", "X-When"), signature(body, secret).values(), strict=True))

    assert sent(renamed("the-new-secret-of-the-platform")) == 200
    assert sent(renamed("the-old-secret-of-the-platform")) == 200
    assert sent(renamed(WEBHOOK_SECRET)) == 401
    assert sent(lambda body: signature(body, "the-new-secret-of-the-platform")) == 401
    assert sent(lambda _: {"X-Vapi-Secret": "the-new-secret-of-the-platform"}) == 401


def test_without_a_secret_everything_is_refused(factory, app_with):
    here = clinic(factory, app=app_with(vapi_webhook_secret=None))

    assert here.send(events.status_update("ringing", here.call()), secret="").status_code == 401


def test_a_clinics_own_secret_counts_instead_of_the_platforms(here):
    store_secret(here, f"{OWN_SECRET},the-one-before-it")
    event = events.status_update("ringing", here.call())

    assert here.send(event, secret=WEBHOOK_SECRET).status_code == 401
    assert here.send(event, secret="the-one-before-it").json["outcome"] == "applied"
    assert here.send(event, secret=OWN_SECRET).json["outcome"] == "duplicate"


def test_one_clinics_secret_says_nothing_about_anothers_events(here, factory):
    store_secret(here, OWN_SECRET)
    other = clinic(factory)

    assert other.send(events.report(other.call()), secret=OWN_SECRET).status_code == 401
    assert not any(other.written().values())


def test_what_the_provider_is_told_for_a_clinic_speaks_for_that_clinic_only(here, factory):
    other = clinic(factory)
    with here.app.app_context():
        told = signatures.secret_to_tell(here.org_id, None)

    assert told != WEBHOOK_SECRET
    assert here.send(events.status_update("ringing", here.call()), secret=told).json["outcome"] == "applied"
    assert other.send(events.status_update("ringing", other.call()), secret=told).status_code == 401


def test_an_own_secret_that_cannot_be_read_is_no_way_around_it(here):
    store_secret(here, OWN_SECRET)
    here.factory.sql.execute(
        "update public.org_credentials set encrypted_config = %s where org_id = %s",
        ['{"webhook_secret": "nonsense"}', here.org_id],
    )
    for secret in (OWN_SECRET, WEBHOOK_SECRET):
        assert here.send(events.report(here.call()), secret=secret).status_code == 401


def test_the_payload_does_not_say_whose_an_event_is(here, factory):
    other = clinic(factory)
    forged = {"org_id": other.org_id, "orgId": other.org_id, "tenantId": other.org_id, "assistantId": other.assistant}
    event = events.report(here.call(metadata=forged, orgId=other.org_id))
    event["message"] |= {"metadata": forged, **forged}

    reply = here.send({**event, **forged})

    assert reply.json["outcome"] == "applied"
    assert len(here.rows("public.call_logs")) == 1
    assert not any(other.written().values())


def test_a_call_of_another_clinic_is_not_touched(here, factory, heard):
    other = clinic(factory)
    other.send(events.status_update("in-progress", other.call()))
    before = other.rows("public.call_logs")

    reply = here.send(events.report(here.call(call_id=other.call_id)))

    assert (reply.status_code, reply.json["outcome"]) == (200, "dead")
    assert other.rows("public.call_logs") == before
    (letter,) = here.rows("public.webhook_dead_letters")
    assert letter["reason"] == "the database refused it: VX001"
    assert not here.rows("public.call_logs")


def test_nobodys_assistant_is_a_404_that_is_logged_by_its_id_alone(here, caplog, recorder, heard):
    event = events.report(here.call(assistant="asst-nobodys"))
    event["message"]["phoneNumber"] = {"number": "+14155559999"}
    body = orjson.dumps(event)

    with caplog.at_level(logging.DEBUG):
        reply = post(here.app, body, signature(body))

    assert (reply.status_code, reply.json["code"]) == (404, "ASSISTANT_NOT_FOUND")
    (record,) = [record for record in caplog.records if record.message == "event of nobody's assistant"]
    assert record.assistant_id == "asst-nobodys"
    assert "14155559999" not in str([record.__dict__ for record in caplog.records])
    assert heard == [("vapi", "end-of-call-report", "unknown")]
    post(here.app, body, signature(body))
    assert recorder.last == []


def test_the_number_that_was_dialled_names_the_clinic_where_no_assistant_does(here, factory):
    for call in (here.call(assistant=None), here.call(assistant="asst-nobodys")):
        assert here.send(events.status_update("ringing", call)).status_code == 200
    assert len(here.rows("public.call_logs")) == 1


# ---- What is no event ----


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b'{"message": {}}', b"\xff\xfe", b'{"a":' * 2000])
def test_what_is_no_event_is_told_only_to_who_signed_it(app, body, heard):
    assert post(app, body, signature(body)).status_code == 400
    assert post(app, body, signature(body, "another-secret-altogether")).status_code == 401
    assert {outcome for _, _, outcome in heard} == {"refused"}


def test_a_body_that_is_no_json_is_told_so(here):
    body = orjson.dumps(events.report(here.call()))

    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert post(here.app, body, {**signature(body), "Content-Type": kind}).status_code == 415
    assert not any(here.written().values())
    assert (
        post(here.app, body, {**signature(body), "Content-Type": "application/json; charset=utf-8"}).status_code == 200
    )


def test_a_large_report_is_taken_and_a_huge_one_is_not(here):
    words = "x" * 1_500_000
    assert here.send(events.report(here.call(), filler=words)).json["outcome"] == "applied"

    for headers in ({}, {"Transfer-Encoding": "chunked"}):
        body = b" " * 5_000_001
        environ = {"wsgi.input_terminated": True} if headers else {}
        reply = post(here.app, body, {**signature(body), **headers}, environ_overrides=environ)
        assert (reply.status_code, reply.json["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_truncated_event_is_refused(here):
    body = orjson.dumps(events.report(here.call()))

    cut = body[: len(body) // 2]
    assert post(here.app, cut, signature(body)).status_code == 401
    reply = post(here.app, cut, signature(cut), environ_overrides={"CONTENT_LENGTH": str(len(body))})
    assert reply.status_code == 400
    assert not any(here.written().values())


def test_what_the_database_cannot_hold_is_taken_out(here):
    event = orjson.dumps(events.report(here.call(), summary="MARK", analysis=None))
    event = event.replace(b"MARK", rb"a\u0000b \ud800 c \\u0000 d")
    reply = post(here.app, event, signature(event))

    assert reply.json["outcome"] == "applied"
    (row,) = here.rows("public.call_logs")
    assert row["outcome_summary"].startswith("ab ? c ")


def test_a_message_of_another_shape_waits_with_the_dead_letters(here, heard, caplog):
    event = events.report(here.call())
    event["message"]["artifact"]["messages"] = [{"role": 7, "secret": "Maria Santos"}, "Maria Santos"]

    with caplog.at_level(logging.DEBUG):
        reply = here.send(event)

    assert (reply.status_code, reply.json["outcome"]) == (200, "dead")
    (letter,) = here.rows("public.webhook_dead_letters")
    assert letter["payload"] == event
    assert letter["event_id"] == f"end:{here.call_id}"
    assert "message" in letter["reason"]
    assert "Santos" not in letter["reason"]
    assert "Santos" not in "".join(str(record.__dict__) for record in caplog.records)
    assert heard == [("vapi", "end-of-call-report", "dead")]


ODD_HEADS = {
    "a time that is none": {"timestamp": "yesterday"},
    "a time beyond all calendars": {"timestamp": 253402300800000},
    "a customer who is a number": {"customer": "+14155550142"},
    "a name that is none": {"customer": {"number": "+14155550142", "name": {"first": "Maria"}}},
    "a status that is none": {"status": ["ended"]},
    "an assistant that is none": {"assistant": [1]},
}


@pytest.mark.parametrize("odd", ODD_HEADS)
def test_whose_an_event_is_shows_whatever_else_is_wrong_so_it_is_kept(here, odd):
    store_secret(here, OWN_SECRET)
    event = events.report(here.call())
    event["message"] |= ODD_HEADS[odd]

    assert here.send(event, secret=WEBHOOK_SECRET).status_code == 401
    assert here.send(event, secret=OWN_SECRET).json["outcome"] == "dead"
    (letter,) = here.rows("public.webhook_dead_letters")
    assert letter["payload"] == event
    assert letter["event_id"] == f"end:{here.call_id}"
    assert letter["reason"].startswith(f"the message has another shape: {next(iter(ODD_HEADS[odd]))}")
    assert "Maria" not in letter["reason"]


def test_an_id_that_is_too_long_is_kept_with_the_event(here):
    assert here.send(events.report(here.call(call_id="x" * 201))).json["outcome"] == "dead"
    (letter,) = here.rows("public.webhook_dead_letters")
    assert (letter["event_id"], letter["reason"]) == (None, "the message has another shape: call.id: string_too_long")


def test_events_without_a_call_do_not_take_each_others_place_with_the_dead_letters(here):
    for summary in ("the first", "the second"):
        event = events.report(here.call(call_id=None), summary=summary)
        assert here.send(event).json["outcome"] == "dead"

    letters = here.rows("public.webhook_dead_letters")
    assert {letter["payload"]["message"]["summary"] for letter in letters} == {"the first", "the second"}


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 6000])
def test_numbers_that_json_does_not_know_cost_no_event(here, number):
    event = orjson.dumps(events.report(here.call(), cost="MARK")).replace(b'"MARK"', number.encode())
    reply = post(here.app, event, signature(event))

    assert reply.json["outcome"] == "applied"
    (row,) = here.rows("public.call_logs")
    assert row["cost_cents"] == 0


def test_a_duration_that_is_no_number_is_told_as_such(here):
    here.send(events.report(here.call(), durationSeconds="Infinity"))
    (letter,) = here.rows("public.webhook_dead_letters")
    assert letter["reason"] == "the message has another shape: durationSeconds: finite_number"


# ---- Once, in any order, and at what cost ----


def test_a_replay_changes_nothing(here, heard):
    body = orjson.dumps(events.report(here.call()))
    headers = signature(body)
    post(here.app, body, headers)
    before = {table: here.rows(f"public.{table}") for table in here.written()}

    for url in URLS:
        reply = post(here.app, body, headers, url=url)
        assert (reply.status_code, reply.json["outcome"]) == (200, "duplicate")
    assert {table: here.rows(f"public.{table}") for table in here.written()} == before
    assert [outcome for _, _, outcome in heard] == ["applied", "duplicate", "duplicate"]


def test_a_late_start_does_not_bring_an_ended_call_back(here):
    here.send(events.report(here.call()))
    for status in ("queued", "ringing", "in-progress"):
        here.send(events.status_update(status, here.call()))

    (row,) = here.rows("public.call_logs")
    assert (row["status"], row["duration_seconds"], row["cost_cents"]) == ("completed", 95, 12)


@pytest.mark.parametrize(
    ("kind", "table"),
    [("inboundPhoneCall", "call_logs"), ("outboundPhoneCall", "calls"), ("webCall", "call_logs"), (None, "call_logs")],
)
def test_the_providers_type_gives_the_direction(here, kind, table):
    here.send(events.report(here.call(kind=kind)))

    counts = here.written()
    assert (counts[table], counts["call_logs"] + counts["calls"]) == (1, 1)


def test_the_price_list_values_a_call_and_the_contact_statistics_follow_at_once(here, factory):
    owner = factory.member(here.org_id)
    factory.service(here.org_id, name="Facelift", price=8100, keywords=["facelift"])
    assert owner.get("/api/contacts/stats").json["total_leads"] == 0

    here.send(events.report(here.call()))

    assert owner.get("/api/contacts/stats").json["total_leads"] == 1
    (row,) = here.rows("public.call_logs")
    assert row["financial_value"] == 8100
    assert [contact["phone"] for contact in here.rows("public.contacts")] == [events.CALLER]


COLD_STATUS = {"POST rpc/route_webhook", "GET org_credentials", "GET organizations", "POST rpc/apply_call_event"}


def test_a_warm_event_costs_one_request(here, recorder):
    here.send(events.status_update("ringing", here.call()))
    assert set(recorder.last) == COLD_STATUS
    here.send(events.status_update("in-progress", here.call()))
    assert recorder.last == ["POST rpc/apply_call_event"]
    here.send(events.report(here.call()))
    assert set(recorder.last) == {"POST rpc/price_list", "POST rpc/apply_call_event"}
    here.send(events.report(here.call(call_id=f"{here.call_id}-2")))
    assert recorder.last == ["POST rpc/apply_call_event"]


@pytest.mark.parametrize(
    "kind", ["transcript", "conversation-update", "speech-update", "hang", "model-output", "brand-new"]
)
def test_what_is_not_stored_costs_nothing(here, recorder, heard, kind):
    here.send(events.status_update("ringing", here.call()))

    reply = here.send(events.envelope(kind, here.call(), transcript="Maria Santos", role="user"))

    assert (reply.status_code, reply.json["outcome"]) == (200, "ignored")
    assert (reply.json["context"], reply.json["chunks"]) == ("", [])
    assert recorder.last == []
    assert heard[-1] == ("vapi", "other" if kind == "brand-new" else kind, "ignored")


def test_a_status_that_nobody_knows_is_acknowledged(here):
    assert here.send(events.status_update("dreaming", here.call())).json["outcome"] == "ignored"


# ---- The database away ----


class Memory:
    """A spool that lasts as long as the test."""

    def __init__(self):
        self.kept = []

    def put(self, delivery):
        self.kept.append(delivery)


class Full:
    def put(self, delivery):
        raise OSError("no space left on device")


@pytest.fixture
def away(app_with, factory):
    """A clinic's app whose Supabase can be taken away: (clinic, take away)."""
    app = app_with()
    here = clinic(factory, app=app)
    pool = app.extensions["voxanne.supabase"]

    def take_away():
        pool._base = "http://127.0.0.1:9"

    return here, take_away


def test_while_the_database_is_away_events_are_kept_or_to_be_sent_again(away, heard):
    here, take_away = away
    here.send(events.status_update("ringing", here.call()))
    take_away()

    reply = here.send(events.report(here.call()))
    assert (reply.status_code, reply.json["code"]) == (503, "DATABASE_UNAVAILABLE")
    here.app.extensions[live.SPOOL] = Full()
    assert here.send(events.report(here.call())).status_code == 503
    spool = here.app.extensions[live.SPOOL] = Memory()
    event = events.report(here.call())
    reply = here.send(event)

    assert (reply.status_code, reply.json["outcome"], reply.json["processed"]) == (200, "spooled", "async")
    (delivery,) = spool.kept
    assert (delivery.source, delivery.org_id, delivery.payload) == ("vapi", here.org_id, event)
    assert [outcome for _, _, outcome in heard] == ["applied", "failed", "failed", "spooled"]


@pytest.fixture
def tried(monkeypatch):
    """Outcomes that applying an event is to have, the last one for good, and how often it was tried: (ends, tries)."""
    ends, tries = [], []

    def process(delivery):
        tries.append(delivery)
        end = ends.pop(0) if len(ends) > 1 else ends[0]
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr("voxanne.services.webhooks.handler.process", process)
    return ends, tries


def test_while_the_database_is_frozen_one_event_waits_for_it_and_not_all(away, tried, monkeypatch):
    here, _ = away
    ends, tries = tried
    ends[:] = [httpx.ReadTimeout("slow"), httpx.ReadTimeout("slow"), Outcome.APPLIED]
    spool = here.app.extensions[live.SPOOL] = Memory()
    monkeypatch.setattr(breaker, "FIRST_PAUSE_SECONDS", 3600.0)

    def sent():
        return here.send(events.report(here.call())).json["outcome"]

    here.send(events.envelope("hang", here.call()))  # from here on all is cached
    assert [sent() for _ in range(4)] == ["spooled"] * 4
    assert (len(tries), len(spool.kept)) == (1, 4)

    monkeypatch.setattr(breaker, "FIRST_PAUSE_SECONDS", -1.0)
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", -1.0)
    here.app.extensions.pop("voxanne.webhook_breaker")
    assert [sent() for _ in range(3)] == ["spooled", "applied", "applied"]


def test_a_database_that_refuses_at_once_is_asked_for_every_event(away, tried):
    here, _ = away
    ends, tries = tried
    ends[:] = [httpx.ConnectError("refused")]
    here.app.extensions[live.SPOOL] = Memory()

    assert [here.send(events.report(here.call())).json["outcome"] for _ in range(3)] == ["spooled"] * 3
    assert len(tries) == 3


def test_without_a_spool_every_event_is_tried(away, tried):
    here, _ = away
    ends, tries = tried
    ends[:] = [httpx.ReadTimeout("slow")]

    assert [here.send(events.report(here.call())).status_code for _ in range(3)] == [503] * 3
    assert len(tries) == 3


def test_with_a_cold_cache_only_the_platforms_own_signature_is_believed_while_the_database_is_away(away):
    here, take_away = away
    with here.app.app_context():
        told = signatures.secret_to_tell(here.org_id, None)
    take_away()
    spool = here.app.extensions[live.SPOOL] = Memory()

    assert here.send(events.report(here.call()), secret=told).status_code == 503
    assert here.send(events.report(here.call()), secret="another-secret-altogether").status_code == 503
    assert here.send(events.report(here.call())).json["outcome"] == "spooled"
    assert [delivery.org_id for delivery in spool.kept] == [None]


def test_no_word_of_a_patient_is_logged(here, caplog):
    with caplog.at_level(logging.DEBUG):
        for event in (
            events.status_update("ringing", here.call()),
            events.status_update("ended", here.call(), endedReason="customer-ended-call"),
            events.report(here.call()),
            events.report(here.call()),
            events.tool_calls(("t-1", "book_appointment", {"name": "Maria Santos", "date": "soon"}), call_=here.call()),
        ):
            assert here.send(event).status_code == 200

    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    for private in (
        "Maria",
        "Santos",
        "maria.santos",
        "555 0142",
        "facelift",
        events.CALLER.lstrip("+"),
        OWN_SECRET,
        WEBHOOK_SECRET,
    ):
        assert private not in logged


# ---- Limits, health ----


@pytest.fixture
def narrow(factory, app_with) -> Clinic:
    return clinic(factory, app=app_with(webhook_rate_limit_per_minute=3, rate_limit_per_org_hour=1))


def forged(here, url=URL, **environ):
    body = orjson.dumps(events.report(here.call()))
    return post(here.app, body, signature(body, "another-secret-altogether"), url=url, environ_base=environ)


def test_an_address_that_sends_forged_events_is_shut_out_and_health_stays_free(narrow, heard):
    assert [forged(narrow, url).status_code for url in (*URLS, URL)] == [401, 401, 401]
    reply = forged(narrow, URLS[1])

    assert (reply.status_code, reply.json["code"]) == (429, "RATE_LIMITED")
    assert 0 < int(reply.headers["Retry-After"]) <= 61
    assert len(heard) == len([*URLS, URL])  # this one nobody looked at
    assert narrow.send(events.status_update("ringing", narrow.call())).status_code == 429
    assert forged(narrow, REMOTE_ADDR="192.0.2.1").status_code == 401
    for url in ("/api/vapi/webhook/health", "/api/webhook/health", "/api/webhook/status"):
        assert narrow.app.test_client().get(url).status_code == 200


def test_genuine_events_do_not_count_nor_pay_for_forged_ones_of_their_address(narrow):
    def sent(url):
        return narrow.send(events.status_update("ringing", narrow.call()), url=url).status_code

    assert [sent(url) for url in URLS * 4] == [200] * 8
    assert [forged(narrow).status_code for _ in range(8)] == [401] * 8
    assert [sent(url) for url in URLS] == [200, 200]


def test_an_address_does_not_pay_for_our_own_trouble(factory, app_with):
    here = clinic(factory, app=app_with(webhook_rate_limit_per_minute=3, supabase_url="http://127.0.0.1:1"))
    assert [here.send(events.report(here.call())).status_code for _ in range(6)] == [503] * 6


def test_the_setup_is_told_and_no_secret(app, app_with):
    reply = app.test_client().get("/api/webhook/status")
    assert reply.json.items() >= {"status": "ok", "secretConfigured": True, "sharedSecretAccepted": True}.items()
    assert WEBHOOK_SECRET not in reply.get_data(as_text=True)
    assert app_with(vapi_webhook_secret=None).test_client().get("/api/webhook/status").json["secretConfigured"] is False


# ---- Never a 500 ----

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
MEMBERS = (
    "timestamp", "call", "assistant", "phoneNumber", "customer", "status", "startedAt", "endedAt", "endedReason",
    "cost", "artifact", "analysis", "messages", "transcript", "durationSeconds", "toolCallList", "functionCall",
    "destination",
)  # fmt: skip
KINDS = ("status-update", "end-of-call-report", "tool-calls", "function-call", "assistant-request", "transcript")


@given(
    kind=st.sampled_from(KINDS), junk=st.dictionaries(st.sampled_from(MEMBERS), JUNK, max_size=6), named=st.booleans()
)
@hypothesis.settings(max_examples=150)
def test_whatever_a_signed_message_holds_the_answer_is_no_error_of_ours(here, kind, junk, named):
    payload = {"message": {"type": kind, "status": "ended", **junk}}
    if named:
        payload["message"].setdefault("call", here.call())
    body = json.dumps(payload).encode()

    assert post(here.app, body, signature(body)).status_code in {200, 400, 404}


HEADERS = st.sampled_from(["X-Signature", "X-Timestamp", "X-Vapi-Secret"])
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80)


@given(headers=st.dictionaries(HEADERS, TEXTS), body=st.binary(max_size=80))
@hypothesis.settings(max_examples=150)
def test_whatever_the_headers_hold_a_stranger_gets_a_401(app, headers, body):
    assert post(app, body, headers).status_code == 401
