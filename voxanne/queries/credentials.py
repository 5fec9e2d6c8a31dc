"""Encrypted secrets of all organisations, for maintenance. All of it needs the service key."""

from typing import Any

from postgrest import SyncPostgrestClient
from postgrest.types import CountMethod

from voxanne.database import Row, call_function
from voxanne.queries import results


def count_credentials(db: SyncPostgrestClient) -> int:
    """Return how many sets of secrets there are."""
    return results.count(db.from_("org_credentials").select("id", count=CountMethod.exact, head=True))


def list_credentials(db: SyncPostgrestClient, *, after: str | None, limit: int) -> list[Row]:
    """Return id, org_id, provider and encrypted_config of the sets after the given id, in the order of ids."""
    query: Any = db.from_("org_credentials").select("id,org_id,provider,encrypted_config").order("id").limit(limit)
    if after is not None:
        query = query.gt("id", after)
    return results.rows(query)


def replace_ciphertexts(db: SyncPostgrestClient, rows: list[Row]) -> set[str]:
    """Replace ciphertexts: `rows` of `id`, `old` and `new`, where `old` is still stored. Returns the ids replaced."""
    return set(call_function(db, "replace_ciphertexts", {"p_rows": rows}))
