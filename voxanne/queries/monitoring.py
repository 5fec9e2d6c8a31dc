"""Statistics of the database itself. All of it needs the service key, and none of it concerns an organisation."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import call_row


def slow_queries(db: SyncPostgrestClient, *, min_mean_ms: float, limit: int) -> Row:
    """Return the slowest statements under `queries`, or under `missing` why there are no statistics."""
    return call_row(db, "slow_queries", {"p_min_mean_ms": min_mean_ms, "p_limit": limit})


def database_state(db: SyncPostgrestClient) -> Row:
    """Return size, connections, and the use of tables and indexes."""
    return call_row(db, "database_state", {})


def database_gauges(db: SyncPostgrestClient) -> Row:
    """Return size_bytes, connections and connections_limit."""
    return call_row(db, "database_gauges", {})


def database_size_bytes(db: SyncPostgrestClient) -> int:
    """Return the size of the whole database."""
    size: int = call_function(db, "database_size_bytes", {})
    return size
