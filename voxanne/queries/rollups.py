"""The counts that the database keeps of calls and records; all of it needs the service key."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import call_rows


def drift(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return what an organisation's kept counts differ in from a recount: rollup, counted_by, kept, counted."""
    return call_rows(db, "rollup_drift", {"p_org_id": org_id})


def rebuild(db: SyncPostgrestClient, org_id: str) -> int:
    """Count an organisation's calls and records anew, while its writers wait; returns the number of counts."""
    counts: int = call_function(db, "rebuild_rollups", {"p_org_id": org_id})
    return counts
