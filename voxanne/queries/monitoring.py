"""What the database tells of itself; everything here needs the service key and concerns no organisation."""

from typing import Any, cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row


def slow_queries(db: SyncPostgrestClient, *, min_mean_ms: float, limit: int) -> Row:
    """Return the slowest statements under `queries`, or under `missing` why there are no statistics."""
    asked: dict[str, Any] = {"p_min_mean_ms": min_mean_ms, "p_limit": limit}
    return cast(Row, db.rpc("slow_queries", asked).execute().data)


def database_state(db: SyncPostgrestClient) -> Row:
    """Return size, connections, and the use of tables and indexes."""
    return cast(Row, db.rpc("database_state", {}).execute().data)


def database_gauges(db: SyncPostgrestClient) -> Row:
    """Return size_bytes, connections and connections_limit."""
    return cast(Row, db.rpc("database_gauges", {}).execute().data)
