"""How much waits to be done about webhooks, over all organisations. All of it needs the service key."""

from datetime import datetime
from typing import Any, cast

from postgrest import CountMethod, SyncPostgrestClient


def dead_letters(db: SyncPostgrestClient, org_id: str | None = None) -> int:
    """Return how many events wait that could not be applied, of one organisation or of all."""
    query = _rows(db, "webhook_dead_letters").is_("replayed_at", "null")
    return _count(query.eq("org_id", org_id) if org_id else query)


def prunable(db: SyncPostgrestClient, before: datetime) -> int:
    """Return how many records `webhook_log.prune` would delete."""
    return (
        _count(_rows(db, "processed_webhook_events").lt("received_at", before.isoformat()))
        + _count(_rows(db, "webhook_delivery_log").lt("received_at", before.isoformat()))
        + _count(_rows(db, "webhook_dead_letters").lt("replayed_at", before.isoformat()))
    )


def waiting_texts(db: SyncPostgrestClient) -> int:
    """Return how many texts are still to be sent."""
    return _count(_rows(db, "message_outbox"))


def deliveries(db: SyncPostgrestClient, status: str) -> int:
    """Return how many events the delivery log holds with that status."""
    return _count(_rows(db, "webhook_delivery_log").eq("status", status))


def _rows(db: SyncPostgrestClient, table: str) -> Any:
    return cast(Any, db).table(table).select("id", count=CountMethod.exact, head=True)


def _count(query: Any) -> int:
    return cast(int, query.execute().count)
