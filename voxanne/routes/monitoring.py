"""Counts of the cache, and memory of this process.

Hits, misses and whether Redis answers are public, since health checks send no token and none of it concerns an
organisation; load times and errors are for those who are signed in.
"""

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify

from voxanne.cache import cache
from voxanne.openapi import describe
from voxanne.schemas.monitoring import CacheHealth, CacheStats, ProcessHealth
from voxanne.services import monitoring

bp = Blueprint("monitoring", __name__, url_prefix="/api/monitoring")
health_bp = Blueprint("cache_health", __name__, url_prefix="/api/health")

_AT_A_GLANCE = ("hits", "misses", "hitRate")


@bp.get("/cache-stats")
@describe("Monitoring", CacheStats)
def get_cache_stats() -> Response:
    """Return everything that the cache counts, over all processes where Redis answers."""
    stats = cache.stats()
    message = f"{stats['hitRate']} % of {stats['hits'] + stats['misses']} reads came from the cache"
    return jsonify(timestamp=datetime.now(UTC), cache=stats, message=message)


@bp.get("/health")
@describe("Monitoring", ProcessHealth)
def get_process_health() -> Response:
    """Return for how long this process has served and how much memory it holds."""
    memory = {"used": monitoring.memory_used_mb(), "total": monitoring.memory_total_mb(), "unit": "MB"}
    uptime = monitoring.uptime_seconds()
    return jsonify(status="healthy", timestamp=datetime.now(UTC), uptime=uptime, memory=memory)


@health_bp.get("/cache")
@describe("Monitoring", CacheHealth, public=True)
def get_cache_health() -> Response:
    """Return how the cache is doing: "degraded" while Redis is configured and does not answer."""
    stats = cache.stats()
    answers = stats["redis"]["answers"] if stats["redis"] else None
    return jsonify(
        status="degraded" if answers is False else "ok",
        timestamp=datetime.now(UTC),
        backend=stats["backend"],
        redisAnswers=answers,
        size=stats["size"],
        **{name: stats[name] for name in _AT_A_GLANCE},
        regions={name: {field: counts[field] for field in _AT_A_GLANCE} for name, counts in stats["regions"].items()},
    )
