"""What Twilio reports of texts, as it reports it: a form with a signature of its own."""

import uuid
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.factories import Factory
from tests.recorder import RequestRecorder
from voxanne.services import secrets, sms_status
from voxanne.services.webhooks import drainer, spool
from voxanne.services.webhooks.deliveries import Outcome
from voxanne.signals import webhook_event

URL = "/api/webhooks/sms-status"
PUBLIC = "https://api.example.com"
TOKEN = "a-twilio-token-of-this-clinic"
NOWHERE = "http://127.0.0.1:1"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def app(app_with):
    return app_with(backend_url=PUBLIC)


@pytest.fixture
def sent(factory: Factory, app, sql):
    """A text that went out for a clinic: its sid, which holds the clinic's id."""
    org_id = factory.org()
    sid = f"SM{org_id.replace('-', '')}"
    with app.app_context():
        ciphertext = secrets.encrypt(org_id, "twilio", "auth_token", TOKEN)
    config = f'{{"auth_token": "{ciphertext}"}}'
    factory.insert("public.org_credentials", org_id=org_id, provider="twilio", encrypted_config=config)
    message = factory.insert(
        "public.messages", org_id=org_id, method="sms", recipient="+14155550123", content="x", status="sent",
        service_provider="twilio", external_message_id=sid,
    )  # fmt: skip
    factory.insert("public.sms_message_tracking", org_id=org_id, message_id=message, message_sid=sid, status="queued")
    return sid


def report(app, form, *, token=TOKEN, path=URL, url=None, **headers):
    signature = RequestValidator(token).compute_signature(url or PUBLIC + path, form)
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature, **headers}
    return app.test_client().post(path, data=urlencode(form), headers=headers)


def clinic_of(sid):
    return str(uuid.UUID(sid.removeprefix("SM")))


def status_of(sql, sid):
    return sql.execute("select status from public.sms_message_tracking where message_sid = %s", [sid]).fetchone()[
        "status"
    ]


def test_a_form_signed_for_our_public_address_is_taken(app, sql, sent):
    reply = report(app, {"MessageSid": sent, "MessageStatus": "delivered", "AccountSid": "AC1", "To": "+14155550142"})

    assert (reply.status_code, reply.json) == (200, {"received": True})
    assert status_of(sql, sent) == "delivered"


def test_a_forged_report_is_refused(app, sql, sent):
    form = {"MessageSid": sent, "MessageStatus": "delivered"}
    heard = []
    webhook_event.connect(
        listen := lambda _, **told: heard.append((told["source"], told["event_type"], told["outcome"]))
    )

    assert report(app, form, token="another-token").status_code == 403
    assert report(app, form, url="https://elsewhere.example.com" + URL).status_code == 403
    assert report(app, form, **{"X-Twilio-Signature": "é"}).status_code == 403
    unsigned = app.test_client().post(URL, data=form)
    assert (unsigned.status_code, unsigned.json["code"]) == (403, "FORBIDDEN")
    webhook_event.disconnect(listen)
    assert status_of(sql, sent) == "queued"
    assert heard == [("twilio", "sms-status", "refused")] * 4


def test_what_is_no_report_is_told_so(app, sent):
    assert report(app, {"MessageSid": sent}).status_code == 400
    assert report(app, {"MessageStatus": "sent"}).status_code == 400
    json = report(app, {"MessageSid": sent, "MessageStatus": "sent"}, **{"Content-Type": "application/json"})
    assert (json.status_code, json.json["error"]) == (415, f"Send the body as {FORM}.")
    long = {"MessageSid": sent, "MessageStatus": "sent", "Body": "x" * 1_000_001}
    assert report(app, long).status_code == 413


def test_a_report_that_the_database_could_not_take_counts_as_failed(app_with):
    app = app_with(backend_url=PUBLIC, supabase_url=NOWHERE)
    heard = []
    with webhook_event.connected_to(lambda _, **told: heard.append(told["outcome"])):
        reply = report(app, {"MessageSid": "SM1", "MessageStatus": "delivered"})
        assert reply.status_code == 503
        assert report(app, {"MessageSid": "SM1"}, **{"Content-Type": "text/plain"}).status_code == 415

    assert heard == ["failed", "refused"]


# ---- The database away ----


@pytest.fixture
def spooling(app_with, tmp_path):
    """The program with a spool: as it is, and as it is while Supabase is away."""
    given = {"backend_url": PUBLIC, "webhook_spool_dir": tmp_path / "spool"}
    return app_with(**given), app_with(**given, supabase_url=NOWHERE)


def given_to_twilio(app, org_id):
    with app.app_context():
        return sms_status.callback_url(org_id).removeprefix(PUBLIC)


def drained(app):
    with app.app_context():
        return drainer.drain(spool.of(app))


def test_a_report_that_comes_while_the_database_is_away_is_applied_later(spooling, sql, sent):
    here, away = spooling
    path = given_to_twilio(away, clinic_of(sent))
    heard = []
    with webhook_event.connected_to(lambda _, **told: heard.append((told["event_type"], told["outcome"]))):
        for word in ("delivered", "sent", "delivered"):
            reply = report(away, {"MessageSid": sent, "MessageStatus": word}, path=path)
            assert (reply.status_code, reply.json) == (200, {"received": True})
        assert status_of(sql, sent) == "queued"
        assert drained(here) == {Outcome.APPLIED: 1, Outcome.DUPLICATE: 2}

    assert status_of(sql, sent) == "delivered"
    assert heard == [("sms-status", "spooled")] * 3 + [("sms-status", word) for word in ("applied", *["duplicate"] * 2)]
    assert drained(here) == {}


def test_a_kept_report_that_twilio_did_not_sign_changes_nothing(spooling, sql, sent):
    here, away = spooling
    path = given_to_twilio(away, clinic_of(sent))
    forged = report(away, {"MessageSid": sent, "MessageStatus": "failed"}, path=path, token="another-token")
    assert forged.status_code == 200, "who signed it can't be known yet"
    assert drained(here) == {Outcome.REFUSED: 1}
    assert status_of(sql, sent) == "queued"


def test_only_what_comes_to_an_address_of_ours_is_kept(spooling, sent):
    here, away = spooling
    form = {"MessageSid": sent, "MessageStatus": "delivered"}
    own = given_to_twilio(away, clinic_of(sent))
    for path in (URL, own[:-1], f"{URL}?for={clinic_of(sent)}"):
        assert report(away, form, path=path).status_code == 503
    assert report(here, form, path=own, token="another-token").status_code == 403
    assert report(away, {"MessageSid": sent}, path=own).status_code == 400
    assert away.test_client().post(own, data=form).status_code == 403
    assert spool.of(away).size().events == 0


def test_an_address_of_ours_saves_the_question_whose_text_it_is(spooling, sent):
    here, _ = spooling
    recorder = RequestRecorder()
    recorder.init_app(here)
    path = given_to_twilio(here, clinic_of(sent))
    for word in ("sent", "delivered"):
        assert report(here, {"MessageSid": sent, "MessageStatus": word}, path=path).status_code == 200
    assert recorder.last == ["POST rpc/apply_sms_status"]
