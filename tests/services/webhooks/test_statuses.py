import pytest

from tests.services.webhooks import events
from voxanne.services.webhooks import statuses
from voxanne.services.webhooks.envelope import Event, parse

REASONS = {
    "customer-ended-call": "completed",
    "assistant-ended-call": "completed",
    "assistant-ended-call-with-hangup-task": "completed",
    "assistant-said-end-call-phrase": "completed",
    "exceeded-max-duration": "completed",
    "silence-timed-out": "completed",
    "manually-canceled": "completed",
    "customer-did-not-answer": "missed",
    "customer-busy": "missed",
    "voicemail": "missed",
    "call.ringing.sip-inbound-caller-hungup-before-call-connect": "missed",
    "customer-did-not-give-microphone-permission": "missed",
    "assistant-forwarded-call": "transferred",
    "twilio-failed-to-connect-call": "failed",
    "pipeline-error-openai-llm-failed": "failed",
    "pipeline-no-available-llm-model": "failed",
    "call.in-progress.error-providerfault-openai-500-server-error": "failed",
    "call.in-progress.error-vapifault-voicemail-detection-failed": "failed",
    "call.start.error-get-phone-number": "failed",
    "assistant-not-found": "failed",
    "assistant-request-failed": "failed",
    "phone-call-provider-closed-websocket": "failed",
    "unknown-error": "failed",
    "worker-shutdown": "failed",
    "something-nobody-has-heard-of": "completed",
    "": "completed",
    None: "completed",
}


@pytest.mark.parametrize(("reason", "status"), REASONS.items())
def test_every_reason_has_its_status(reason, status):
    assert statuses.ended_status(reason) == status


@pytest.mark.parametrize(
    ("reason", "status"), [("customer-ended-call", "transferred"), ("customer-busy", "missed"), ("db-error", "failed")]
)
def test_a_transferred_call_that_ended_well_is_transferred(reason, status):
    assert statuses.ended_status(reason, transferred=True) == status


def test_the_other_party_is_the_caller_of_an_inbound_call_and_the_called_one_of_an_outbound_one():
    event = parse(events.status_update("ringing"))

    assert statuses.parties(event, "inbound") == {
        "phone_number": events.CALLER,
        "from_number": events.CALLER,
        "to_number": events.OURS,
    }
    assert statuses.parties(event, "outbound") == {
        "phone_number": events.CALLER,
        "from_number": events.OURS,
        "to_number": events.CALLER,
    }


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [("anonymous", "US", None), (None, None, None), ("(415) 555-0142", "US", events.CALLER)],
)
def test_a_number_that_is_none_is_no_phone_number(number, country, expected):
    event = Event("status-update", customer_number=number)
    assert statuses.parties(event, "inbound", country)["phone_number"] == expected
