"""Ciphertexts of all organisations, for maintenance; needs the service key."""

from typing import Any

from postgrest import SyncPostgrestClient
from postgrest.types import CountMethod

from voxanne.database import Row, call_function
from voxanne.queries import results


def count_credentials(db: SyncPostgrestClient) -> int:
    """Return how many there are."""
    return results.count(db.from_("org_credentials").select("id", count=CountMethod.exact, head=True))


def list_credentials(db: SyncPostgrestClient, *, after: str | None, limit: int) -> list[Row]:
    """Return id, org_id, provider and encrypted_config of the next ones in the order of their ids."""
    query: Any = db.from_("org_credentials").select("id,org_id,provider,encrypted_config").order("id").limit(limit)
    if after is not None:
        query = query.gt("id", after)
    return results.rows(query)


def replace_ciphertexts(db: SyncPostgrestClient, rows: list[Row]) -> set[str]:
    """Replace {id, old, new} where the old one still stands; returns the ids that were replaced."""
    return set(call_function(db, "replace_ciphertexts", {"p_rows": rows}))
