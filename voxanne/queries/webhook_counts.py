"""How much waits to be done about webhooks, over all organisations. All of it needs the service key."""

from typing import Any

from postgrest import CountMethod, SyncPostgrestClient

from voxanne.queries.results import count


def dead_letters(db: SyncPostgrestClient) -> int:
    """Return how many events wait that could not be applied."""
    return count(_ids(db, "webhook_dead_letters").is_("replayed_at", "null"))


def waiting_texts(db: SyncPostgrestClient) -> int:
    """Return how many texts are still to be sent."""
    return count(_ids(db, "message_outbox"))


def deliveries(db: SyncPostgrestClient, status: str) -> int:
    """Return how many events the delivery log holds with that status."""
    return count(_ids(db, "webhook_delivery_log").eq("status", status))


def _ids(db: SyncPostgrestClient, table: str) -> Any:
    return db.from_(table).select("id", count=CountMethod.exact, head=True)
