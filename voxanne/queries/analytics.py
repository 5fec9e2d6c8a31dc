"""What the dashboard's home page polls: one SQL function each, with a `version` that grows with every change."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row
from voxanne.queries.results import call_row


def get_pulse(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return the numbers of `schemas.analytics.Pulse`, and `version`."""
    return call_row(db, "dashboard_pulse", {"p_org_id": org_id})


def get_leads(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return `leads`: the newest calls of each warmth, hot ones first; names and numbers may be missing."""
    return call_row(db, "actionable_leads", {"p_org_id": org_id})


def get_recent_activity(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return `events`: the ten newest, each with type, id, timestamp and metadata; names may be missing."""
    return call_row(db, "recent_activity", {"p_org_id": org_id})
