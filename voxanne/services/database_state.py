"""How the database is doing, in the shape of the API: slow statements, sizes, connections, use of tables."""

from collections.abc import Mapping
from typing import Any

import httpx
from flask import current_app
from postgrest.exceptions import APIError

from voxanne import database
from voxanne.config import Settings
from voxanne.queries import monitoring
from voxanne.services.statements import mask

THRESHOLD_MS = 100
MOST = 20
LONGEST = 2000
_MEGABYTE = 1024 * 1024
_WHY_NOT = {
    "not installed": "The extension pg_stat_statements is not installed: run `create extension pg_stat_statements "
    "with schema extensions`, or enable it on the project's Extensions page.",
    "not loaded": "The extension pg_stat_statements is installed but not loaded: add it to shared_preload_libraries "
    "and restart Postgres.",
}


def slow_queries(*, probe: bool = False) -> dict[str, Any]:
    """Return the statements whose mean time is over the threshold, slowest first, or why there are no statistics."""
    found = monitoring.slow_queries(database.as_service(probe=probe), min_mean_ms=THRESHOLD_MS, limit=MOST)
    missing = found.get("missing")
    total_ms = found.get("total_ms", 0)
    return {
        "available": missing is None,
        "reason": _WHY_NOT[missing] if missing else None,
        "thresholdMs": THRESHOLD_MS,
        "since": found.get("since"),
        "statements": found.get("statements", 0),
        "totalMs": round(total_ms, 1),
        "queries": [_statement(row, total_ms) for row in found.get("queries", ())],
    }


def state(*, probe: bool = False) -> dict[str, Any]:
    """Return size, connections, and the use of tables and indexes."""
    settings: Settings = current_app.config["SETTINGS"]
    found = monitoring.database_state(database.as_service(probe=probe))
    size, limit = found["size_bytes"], settings.database_size_limit_mb * _MEGABYTE
    used = found["connections"]
    return {
        "version": found["version"],
        "since": found["since"],
        "sizeBytes": size,
        "sizeLimitBytes": limit,
        "sizePercent": _percent(size, limit),
        "connections": {
            **{name: used[name] for name in ("used", "active", "idle", "limit")},
            "idleInTransaction": used["idle_in_transaction"],
            "percent": _percent(used["used"], used["limit"]),
        },
        "cacheHitPercent": _percent(found["blocks_hit"], found["blocks_hit"] + found["blocks_read"]),
        "tables": [_table(row) for row in found["tables"]],
        "unusedIndexes": [
            {"table": row["table"], "index": row["name"], "sizeBytes": row["size_bytes"]}
            for row in found["unused_indexes"]
        ],
    }


def gauges() -> dict[str, float] | None:
    """Return size_bytes, connections and connections_limit, or None if the database does not answer at once."""
    try:
        return monitoring.database_gauges(database.as_service(probe=True))
    except (APIError, httpx.HTTPError):
        return None


def _statement(row: Mapping[str, Any], total_ms: float) -> dict[str, Any]:
    return {
        "queryId": row["id"],
        "query": mask(row["query"])[:LONGEST],
        "calls": row["calls"],
        "meanMs": round(row["total_ms"] / row["calls"], 1),
        "maxMs": round(row["max_ms"], 1),
        "totalMs": round(row["total_ms"], 1),
        "sharePercent": _percent(row["total_ms"], total_ms),
        "rows": row["rows"],
    }


def _table(row: Mapping[str, Any]) -> dict[str, Any]:
    scans = row["sequential_scans"] + row["index_scans"]
    return {
        "table": row["name"],
        "rows": row["rows"],
        "sizeBytes": row["size_bytes"],
        "indexBytes": row["index_bytes"],
        "sequentialScans": row["sequential_scans"],
        "sequentialRows": row["sequential_rows"],
        "indexScans": row["index_scans"],
        "indexScanPercent": _percent(row["index_scans"], scans),
        "deadRows": row["dead_rows"],
        "deadPercent": _percent(row["dead_rows"], row["rows"] + row["dead_rows"]),
        "lastVacuum": row["last_vacuum"],
        "lastAnalyze": row["last_analyze"],
        "needsVacuum": row["needs_vacuum"],
    }


def _percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 2) if whole else None
