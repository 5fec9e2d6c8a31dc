"""What Twilio reports of texts, as it reports it: a form with a signature of its own."""

from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.factories import Factory
from voxanne.services import secrets
from voxanne.signals import webhook_event

URL = "/api/webhooks/sms-status"
PUBLIC = "https://api.example.com"
TOKEN = "a-twilio-token-of-this-clinic"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def app(app_with):
    return app_with(backend_url=PUBLIC)


@pytest.fixture
def sent(factory: Factory, app, sql):
    """A text that went out for a clinic: its sid."""
    org_id = factory.org()
    sid = f"SM{org_id.replace('-', '')}"
    with app.app_context():
        ciphertext = secrets.encrypt(org_id, "twilio", "auth_token", TOKEN)
    config = f'{{"auth_token": "{ciphertext}"}}'
    factory.insert("public.org_credentials", org_id=org_id, provider="twilio", encrypted_config=config)
    factory.insert("public.sms_message_tracking", org_id=org_id, message_sid=sid, status="queued")
    return sid


def report(app, form, *, token=TOKEN, url=PUBLIC + URL, **headers):
    signature = RequestValidator(token).compute_signature(url, form)
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature, **headers}
    return app.test_client().post(URL, data=urlencode(form), headers=headers)


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
    assert (
        report(app, {"MessageSid": sent, "MessageStatus": "sent"}, **{"Content-Type": "text/plain"}).status_code == 415
    )
    long = {"MessageSid": sent, "MessageStatus": "sent", "Body": "x" * 1_000_001}
    assert report(app, long).status_code == 413


def test_a_report_that_the_database_could_not_take_counts_as_failed(app_with):
    app = app_with(backend_url=PUBLIC, supabase_url="http://127.0.0.1:1")
    heard = []
    with webhook_event.connected_to(lambda _, **told: heard.append(told["outcome"])):
        reply = report(app, {"MessageSid": "SM1", "MessageStatus": "delivered"})
        assert reply.status_code == 503
        assert report(app, {"MessageSid": "SM1"}, **{"Content-Type": "text/plain"}).status_code == 415

    assert heard == ["failed", "refused"]
