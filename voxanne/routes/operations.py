"""For those who run the platform: response times, slow queries, the database. No data of organisations."""

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify

from voxanne.openapi import describe
from voxanne.schemas.monitoring import DatabaseState, Performance, SlowQueries
from voxanne.services import database_state, performance

bp = Blueprint("operations", __name__, url_prefix="/api/monitoring")


@bp.get("/performance")
@describe("Monitoring", Performance)
def get_performance() -> Response:
    """Return the last hour: percentiles by route, throughput and errors by minute, the cache by region.

    For operators. Of all processes where there is Redis; needs no database.
    """
    return jsonify(timestamp=datetime.now(UTC), **performance.report())


@bp.get("/slow-queries")
@describe("Monitoring", SlowQueries)
def get_slow_queries() -> Response:
    """Return the 20 slowest statements of the database with a mean of over 100 ms, without their values.

    For operators.
    """
    return jsonify(timestamp=datetime.now(UTC), **database_state.slow_queries())


@bp.get("/database")
@describe("Monitoring", DatabaseState)
def get_database() -> Response:
    """Return the size of the database, its connections, and how its tables and indexes are used.

    For operators.
    """
    return jsonify(timestamp=datetime.now(UTC), **database_state.state())
