"""Contacts: the people who call."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row
from voxanne.queries.results import call_row


def get_stats(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return the numbers of `schemas.contacts.ContactStats`, and `version`."""
    return call_row(db, "contact_stats", {"p_org_id": org_id})
