"""Phone mappings: which organisation a dialled number belongs to."""

from postgrest import SyncPostgrestClient
from postgrest.types import CountMethod

from voxanne.database import Row
from voxanne.pagination import Slice, fetch_slice
from voxanne.queries.results import call_row, first

TABLE = "phone_number_mapping"
COLUMNS = "id,org_id,inbound_phone_number,clinic_name,vapi_phone_number_id,is_active,created_by,created_at,updated_at"
ROUTING_COLUMNS = "org_id,inbound_phone_number,clinic_name"
MOST_NUMBERS = 1000


def list_mappings(db: SyncPostgrestClient, org_id: str) -> Slice:
    """Return the organisation's active mappings, newest first, with their number."""
    return fetch_slice(
        lambda: (
            db.from_(TABLE)
            .select(COLUMNS, count=CountMethod.exact)
            .eq("org_id", org_id)
            .is_("is_active", "true")
            .order("created_at", desc=True)
            .order("id", desc=True)
        ),
        0,
        MOST_NUMBERS,
    )


def save_mapping(
    db: SyncPostgrestClient, org_id: str, number: str, *, clinic_name: str | None, vapi_id: str | None
) -> Row:
    """Add a number or bring it back; None leaves what is stored.

    Returns the row as `mapping`, and as `previous_vapi_id` the provider's id that the number had before.
    """
    arguments = {"p_org_id": org_id, "p_number": number, "p_clinic_name": clinic_name, "p_vapi_id": vapi_id}
    return call_row(db, "save_phone_mapping", arguments)


def deactivate_mapping(db: SyncPostgrestClient, org_id: str, mapping_id: str) -> Row | None:
    """Take a number out of use and return its row, or None if there is none."""
    query = db.from_(TABLE).update({"is_active": False}).eq("org_id", org_id).eq("id", mapping_id)
    return first(query.select(COLUMNS))


def find_by_number(db: SyncPostgrestClient, org_id: str, number: str) -> Row | None:
    """Return the organisation's active mapping of a number in E.164, or None."""
    query = db.from_(TABLE).select(ROUTING_COLUMNS).eq("org_id", org_id).eq("inbound_phone_number", number)
    return first(query.is_("is_active", "true").limit(1))


def find_by_vapi_id(db: SyncPostgrestClient, vapi_id: str) -> Row | None:
    """Return the active mapping of a phone number id of the provider, of whatever living organisation, or None.

    Needs the service key: a webhook comes without a session, and this is how its organisation is found.
    """
    query = db.from_(TABLE).select(f"{ROUTING_COLUMNS},organizations!inner()").eq("vapi_phone_number_id", vapi_id)
    return first(query.neq("organizations.status", "deleted").is_("is_active", "true").limit(1))
