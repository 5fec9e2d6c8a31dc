"""The price list: services of an organisation."""

from typing import cast

from postgrest import SyncPostgrestClient
from postgrest.types import CountMethod

from voxanne.database import Row
from voxanne.pagination import Slice, fetch_slice

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
    return cast(list[Row], db.rpc("price_list", {"p_org_id": org_id}).execute().data)


def get_service(db: SyncPostgrestClient, org_id: str, service_id: str) -> Row | None:
    """Return one service, or None."""
    rows = db.from_("services").select(COLUMNS).eq("org_id", org_id).eq("id", service_id).limit(1).execute().data
    return cast(Row, rows[0]) if rows else None


def create_service(db: SyncPostgrestClient, org_id: str, values: Row) -> Row:
    """Insert a service and return its row."""
    return cast(Row, db.from_("services").insert({**values, "org_id": org_id}).select(COLUMNS).execute().data[0])


def update_service(db: SyncPostgrestClient, org_id: str, service_id: str, values: Row) -> Row | None:
    """Change the given columns and the time of the change; returns the row as it is now, or None if there is none."""
    # PostgREST takes an update of no columns for an update of no rows; the time itself is the database's.
    changes = {**values, "updated_at": "now"}
    query = db.from_("services").update(changes).eq("org_id", org_id).eq("id", service_id).select(COLUMNS)
    rows = query.execute().data
    return cast(Row, rows[0]) if rows else None


def delete_service(db: SyncPostgrestClient, org_id: str, service_id: str) -> bool:
    """Delete a service; False if there was none."""
    rows = db.from_("services").delete().eq("org_id", org_id).eq("id", service_id).select("id").execute().data
    return bool(rows)
