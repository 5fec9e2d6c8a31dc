"""The voice provider's words for how a call stands and why it ended, as our statuses; and who called whom."""

from typing import Literal

from voxanne.database import Row
from voxanne.phones import to_e164
from voxanne.services.call_type_detector import CallType
from voxanne.services.webhooks.envelope import Event

Ended = Literal["completed", "missed", "transferred", "failed"]

QUEUED, RINGING, TALKING, ENDED, REPORTED = 1, 2, 3, 4, 5
"""Ranks of events: what a higher one says holds, in whatever order they come."""

LIVE: dict[str, tuple[str, int]] = {
    "scheduled": ("queued", QUEUED),
    "queued": ("queued", QUEUED),
    "ringing": ("ringing", RINGING),
    "in-progress": ("in-progress", TALKING),
    "forwarding": ("in-progress", TALKING),
}
"""The provider's words for a call that is not over, as our status and the event's rank."""

ENDED_WORD = "ended"
"""The provider's word for one that is."""

# The first row with a part that stands in the reason decides, so what is more special stands first.
_REASONS: tuple[tuple[Ended, tuple[str, ...]], ...] = (
    ("failed", ("pipeline-", "error-", "vapifault", "providerfault")),
    ("transferred", ("forwarded-call", "forwarding-call", "transfer-completed", "warm-transfer-success")),
    (
        "missed",
        (
            "did-not-answer", "no-answer", "busy", "voicemail", "did-not-give-microphone-permission", "rejected",
            "declined", "temporarily-unavailable", "hungup-before", "hangup-before", "misdialed",
            "did-not-receive-customer-audio", "sip-480", "sip-486", "sip-487", "sip-600", "sip-603",
        ),
    ),
    (
        "completed",
        ("ended-call", "end-call", "exceeded-max-duration", "silence-timed-out", "manually-cancel", "vonage-completed"),
    ),
    (
        "failed",
        (
            "error", "fail", "fault", "invalid", "unavailable", "not-found", "missing", "no-server", "blocked", "quota",
            "exceeded", "limit", "denied", "refused", "timeout", "timed-out", "disconnected", "closed", "shutdown",
            "unknown", "no-call-received", "db-", "license-check", "sip-", "twilio-", "vonage-",
        ),
    ),
)  # fmt: skip


def ended_status(reason: str | None, *, transferred: bool = False) -> Ended:
    """Return the status of a call that ended for that reason; without one, or for an unheard-of one, it was completed.

    Missed are calls in which nobody answered, failed those that a machine's trouble ended. Reasons are added by the
    provider all the time, in families such as `pipeline-error-...` and `call.in-progress.error-...`, so they are known
    by their parts.
    """
    word = (reason or "").lower().replace("_", "-").replace(" ", "-")
    for status, parts in _REASONS:
        if any(part in word for part in parts):
            return "transferred" if status == "completed" and transferred else status
    return "transferred" if transferred else "completed"


def parties(event: Event, direction: CallType, country: str | None = None) -> Row:
    """Return who called whom: `phone_number` is the other party's in E.164, or None if it has none."""
    other, ours = event.customer_number, event.our_number
    caller, called = (other, ours) if direction == "inbound" else (ours, other)
    return {
        "phone_number": to_e164(other, country) if other else None,
        "from_number": _readable(caller, country),
        "to_number": _readable(called, country),
    }


def course(event: Event, direction: CallType, country: str | None = None) -> Row:
    """Return what every event says of its call: which it is, who called whom and by what way."""
    return {
        "vapi_call_id": event.call_id,
        "call_type": direction,
        **parties(event, direction, country),
        "caller_name": event.customer_name,
        "is_test_call": event.call_type == "webCall",
        "metadata": {"channel": channel(event)},
    }


def channel(event: Event) -> Literal["phone", "web"]:
    """Return by what way the call was made."""
    return "web" if event.call_type == "webCall" else "phone"


def _readable(number: str | None, country: str | None) -> str | None:
    return None if number is None else to_e164(number, country) or number
