"""How much waits to be done about webhooks, over all organisations. All of it needs the service key."""

from typing import Any, cast

from postgrest import CountMethod, SyncPostgrestClient


def dead_letters(db: SyncPostgrestClient) -> int:
    """Return how many events wait that could not be applied."""
    return _count(_rows(db, "webhook_dead_letters").is_("replayed_at", "null"))


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
