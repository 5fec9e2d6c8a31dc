"""The price list: services of an organisation."""

from postgrest import SyncPostgrestClient
from postgrest.types import CountMethod

from voxanne.database import Row
from voxanne.pagination import Slice, fetch_slice
from voxanne.queries.results import call_rows, first, rows

COLUMNS = "id,org_id,name,price,keywords,created_at,updated_at"


def list_services(db: SyncPostgrestClient, org_id: str, *, offset: int, limit: int) -> Slice:
    """Return one slice of the price list, newest first, with its total."""
    return fetch_slice(
        lambda: (
            db.from_("services")
            .select(COLUMNS, count=CountMethod.exact)
            .eq("org_id", org_id)
            .order("created_at", desc=True)
            .order("id", desc=True)
        ),
        offset,
        limit,
    )


def list_pricing(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return the whole price list, newest first, with id, name, price, keywords and created_at of each service."""
    return call_rows(db, "price_list", {"p_org_id": org_id})


def get_service(db: SyncPostgrestClient, org_id: str, service_id: str) -> Row | None:
    """Return one service, or None."""
    return first(db.from_("services").select(COLUMNS).eq("org_id", org_id).eq("id", service_id).limit(1))


def create_service(db: SyncPostgrestClient, org_id: str, values: Row) -> Row:
    """Insert a service and return its row."""
    return rows(db.from_("services").insert({**values, "org_id": org_id}).select(COLUMNS))[0]


def update_service(db: SyncPostgrestClient, org_id: str, service_id: str, values: Row) -> Row | None:
    """Change the given columns and the time of the change; returns the row as it is now, or None if there is none."""
    # PostgREST takes an update of no columns for an update of no rows; the time itself is the database's.
    changes = {**values, "updated_at": "now"}
    return first(db.from_("services").update(changes).eq("org_id", org_id).eq("id", service_id).select(COLUMNS))


def delete_service(db: SyncPostgrestClient, org_id: str, service_id: str) -> bool:
    """Delete a service; False if there was none."""
    query = db.from_("services").delete().eq("org_id", org_id).eq("id", service_id)
    return first(query.select("id")) is not None
