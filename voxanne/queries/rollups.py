"""The counts that the database keeps of calls and records; all of it needs the service key."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import rows

MOST_DRIFT = 1000


def drift(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return what an organisation's kept counts differ in from a recount: rollup, counted_by, kept, counted.

    No more than `MOST_DRIFT` of them.
    """
    return rows(db.rpc("rollup_drift", {"p_org_id": org_id}).limit(MOST_DRIFT))


def rebuild(db: SyncPostgrestClient, org_id: str) -> int:
    """Count an organisation's calls and records anew; returns the number of counts.

    Its writers wait meanwhile, and fail as if the database were away where that takes longer than they may.
    """
    counts: int = call_function(db, "rebuild_rollups", {"p_org_id": org_id})
    return counts
