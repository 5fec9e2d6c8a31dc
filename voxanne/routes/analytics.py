"""Analytics: what the dashboard's home page polls every 10 or 30 seconds, with ETags."""

from flask import Blueprint, Response

from voxanne.conditional import UNCHANGED, reply_to_caller
from voxanne.openapi import describe
from voxanne.queries import analytics as queries
from voxanne.schemas.analytics import Leads, Pulse, RecentActivity
from voxanne.schemas.calls import CallStats, StatsQuery
from voxanne.services import analytics, calls

bp = Blueprint("analytics", __name__, url_prefix="/api/analytics")


@bp.get("/dashboard-pulse")
@describe("Analytics", Pulse, replies=UNCHANGED)
def get_pulse() -> Response:
    """Return numbers over all time: calls, bookings, leads, sentiment."""
    return reply_to_caller(queries.get_pulse, storable=True)


@bp.get("/leads")
@describe("Analytics", Leads, replies=UNCHANGED)
def list_leads() -> Response:
    """Return the newest leads, hot ones first.

    At the most 100 hot, 100 warm and 50 cold ones: calls with a lead_temp, without test calls.
    """
    return reply_to_caller(lambda db, org_id: analytics.present_leads(queries.get_leads(db, org_id)))


@bp.get("/recent-activity")
@describe("Analytics", RecentActivity, replies=UNCHANGED)
def list_recent_activity() -> Response:
    """Return the newest calls, hot leads and bookings, ten together."""
    return reply_to_caller(lambda db, org_id: analytics.present_events(queries.get_recent_activity(db, org_id)))


@bp.get("/dashboard-stats")
@describe("Analytics", CallStats, replies=UNCHANGED)
def get_stats(query: StatsQuery) -> Response:
    """Return the same numbers as the statistics of the calls dashboard."""
    return reply_to_caller(lambda db, org_id: calls.get_stats(db, org_id, query.timeWindow))
