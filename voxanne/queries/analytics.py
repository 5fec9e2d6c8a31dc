"""What the dashboard's home page polls: one SQL function each, with a `version` that grows with every change."""

from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row


def get_pulse(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return the numbers of http.md 5.1."""
    return cast(Row, db.rpc("dashboard_pulse", {"p_org_id": org_id}).execute().data)


def get_leads(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return `leads`: the newest calls of each warmth, hot ones first; names and numbers may be missing."""
    return cast(Row, db.rpc("actionable_leads", {"p_org_id": org_id}).execute().data)


def get_recent_activity(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return `events`: the ten newest, each with type, id, timestamp and metadata; names may be missing."""
    return cast(Row, db.rpc("recent_activity", {"p_org_id": org_id}).execute().data)
