"""What the voice assistant does during a call. All of it needs the service key.

A tool call has one effect and one answer, however often it comes. `call` and `alert` are as `call_events.apply` takes
them. Times come twice: as an instant (`starts_at`, `scheduled_at`), and as `local` ("2026-11-23T09:45") in `timezone`.
"""

from datetime import date

from postgrest import SyncPostgrestClient

from voxanne.database import Row
from voxanne.queries.results import call_row


def available_slots(db: SyncPostgrestClient, org_id: str, day: date, minutes: int) -> Row:
    """Return `date`, `timezone`, `minutes` and `slots`: the free starts of a day, in order."""
    arguments = {"p_org_id": org_id, "p_day": day.isoformat(), "p_minutes": minutes}
    return call_row(db, "tool_available_slots", arguments)


def book(db: SyncPostgrestClient, org_id: str, tool_call_id: str, *, call: Row, booking: Row) -> Row:
    """Book an appointment for the caller.

    `booking` holds `scheduled_at` (ISO; without an offset it is the organisation's own time), `duration_minutes` (45),
    `service_type`, `name`, `phone` (the caller's), `email`, `notes` and `text` (`to` and `body` of a confirmation).
    Returns `booked` with `appointment_id`, `scheduled_at`, `local`, `duration_minutes`, `service_type`, `contact_id`,
    `call_id`, `contact_changed` and `message_id`; or one of `taken`, `closed`, `past` (with `alternatives`, the nearest
    free slots) and `invalid`. Either comes with `timezone` and `duplicate`.
    """
    arguments = {"p_org_id": org_id, "p_tool_call_id": tool_call_id, "p_call": call, "p_booking": booking}
    return call_row(db, "tool_book", arguments)


def find_caller(db: SyncPostgrestClient, org_id: str, phone: str) -> Row:
    """Return what is known of a number, `timezone` aside each None if there is none.

    `contact` (`id`, `name`, `email`, `lead_status`, `pipeline_status`, `service_interests`), `next_appointment` (`id`,
    `service_type`, `scheduled_at`, `local`, `duration_minutes`, `status`) and `last_call` (`at`, `summary`, `outcome`).
    """
    return call_row(db, "tool_find_caller", {"p_org_id": org_id, "p_phone": phone})


def hot_lead(
    db: SyncPostgrestClient, org_id: str, tool_call_id: str, *, call: Row, contact: Row | None, alert: Row
) -> Row:
    """Alert the clinic about the caller, once for each call.

    Returns `alerted` (whether by this tool call), `alert_id`, `call_id`, `contact_id`, `contact_changed`, `message_id`,
    `duplicate`, and with a `contact` the `contact_stats` that it leaves.
    """
    arguments = {
        "p_org_id": org_id,
        "p_tool_call_id": tool_call_id,
        "p_call": call,
        "p_contact": contact,
        "p_alert": alert,
    }
    return call_row(db, "tool_hot_lead", arguments)
