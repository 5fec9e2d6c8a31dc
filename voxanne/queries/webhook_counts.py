"""How much waits to be done about webhooks, over all organisations. All of it needs the service key."""

from datetime import datetime
from typing import Any

from postgrest import CountMethod, SyncPostgrestClient

from voxanne.queries.results import count


def dead_letters(db: SyncPostgrestClient, org_id: str | None = None) -> int:
    """Return how many events wait that could not be applied, of one organisation or of all."""
    query = _ids(db, "webhook_dead_letters").is_("replayed_at", "null")
    return count(query.eq("org_id", org_id) if org_id else query)


def prunable(db: SyncPostgrestClient, before: datetime) -> int:
    """Return how many records `webhook_log.prune` would delete."""
    return (
        count(_ids(db, "processed_webhook_events").lt("received_at", before.isoformat()))
        + count(_ids(db, "webhook_delivery_log").lt("received_at", before.isoformat()))
        + count(_ids(db, "webhook_dead_letters").lt("replayed_at", before.isoformat()))
    )


def waiting_texts(db: SyncPostgrestClient) -> int:
    """Return how many texts are still to be sent."""
    return count(_ids(db, "message_outbox"))


def deliveries(db: SyncPostgrestClient, status: str) -> int:
    """Return how many events the delivery log holds with that status."""
    return count(_ids(db, "webhook_delivery_log").eq("status", status))


def _ids(db: SyncPostgrestClient, table: str) -> Any:
    return db.from_(table).select("id", count=CountMethod.exact, head=True)
