"""Contacts: the people who call."""

from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row


def get_stats(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return the numbers of http.md 7.1 and their `version`."""
    return cast(Row, db.rpc("contact_stats", {"p_org_id": org_id}).execute().data)
