"""Events of the voice provider: one request applies one, with all that it changes. All of it needs the service key."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import call_row


def apply(db: SyncPostgrestClient, org_id: str, event: Row) -> Row:
    """Apply an event once, in one transaction; the result says what changed.

    `event` holds `event_id`, `event_type`, `rank` (1 queued, 2 ringing, 3 in progress, 4 ended, 5 report),
    `received_at`, `attempts`, `call` (`vapi_call_id`, `call_type` and columns of a call), `contact` and `alert`;
    nothing may hold a NUL character. Events may come in any order. The result holds `duplicate`, `applied`, `call_id`,
    `call_type`, `contact_id`, `contact_changed`, `alert_id` and `message_id` if this event made them, and with a
    `contact` the `contact_stats` that it leaves, as `contacts.get_stats` returns them.
    Raises `APIError`, with the code VX001 if the call belongs to another organisation.
    """
    return call_row(db, "apply_call_event", {"p_org_id": org_id, "p_event": event})


def route(
    db: SyncPostgrestClient, *, assistant_id: str | None, phone_number_id: str | None, number: str | None
) -> str | None:
    """Return the organisation of the provider's assistant, else of its phone number, else of the number in E.164."""
    arguments = {"p_assistant_id": assistant_id, "p_phone_number_id": phone_number_id, "p_number": number}
    org_id: str | None = call_function(db, "route_webhook", arguments)
    return org_id
