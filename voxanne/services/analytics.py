"""Leads and recent events in the shape in which the dashboard's home page reads them."""

from voxanne.database import Row
from voxanne.services.calls import UNKNOWN

ACTIONS = {"hot": "Urgent Callback", "warm": "Follow-up SMS"}
ID_PREFIXES = {"call_completed": "call", "hot_lead_detected": "hotlead", "appointment_booked": "appointment"}
NAMES = {"call_completed": "caller_name", "hot_lead_detected": "lead_name", "appointment_booked": "customer_name"}
_SECONDS_A_MINUTE = 60


def present_leads(found: Row) -> Row:
    """Add to `leads` the defaults and the recommended action that the page shows; other members stay as they are."""
    return {**found, "leads": [_lead(row) for row in found["leads"]]}


def present_events(found: Row) -> Row:
    """Add a summary to each of `events`, and its kind to its id; other members stay as they are."""
    return {**found, "events": [_event(row) for row in found["events"]]}


def _lead(row: Row) -> Row:
    name = row["contact_name"] or UNKNOWN
    return {
        **row,
        "contact_name": name,
        "patient_name": name,
        "phone_number": row["phone_number"] or UNKNOWN,
        "recommended_action": ACTIONS.get(row["lead_temp"], "Archive"),
    }


def _event(row: Row) -> Row:
    kind = row["type"]
    metadata = {**row["metadata"]}
    metadata[NAMES[kind]] = metadata[NAMES[kind]] or UNKNOWN
    return {**row, "id": f"{ID_PREFIXES[kind]}_{row['id']}", "summary": _summary(kind, metadata), "metadata": metadata}


def _summary(kind: str, metadata: Row) -> str:
    name = metadata[NAMES[kind]]
    if kind == "hot_lead_detected":
        return f"🔥 Hot lead: {name}" + (
            f" is interested in {metadata['service_interest']}" * bool(metadata["service_interest"])
        )
    if kind == "appointment_booked":
        return f"📅 {metadata['service_type']} booked for {name}"
    whole_minutes = metadata["duration_seconds"] // _SECONDS_A_MINUTE
    direction = "from" if metadata["call_direction"] == "inbound" else "to"
    return f"Call {direction} {name} ({whole_minutes} min)"
