"""Analytics: what the dashboard's home page polls every 10 or 30 seconds. All answer 304 while nothing has changed."""

from collections.abc import Callable

from flask import Blueprint, Response
from postgrest import SyncPostgrestClient

from voxanne import conditional, database
from voxanne.auth import principal
from voxanne.database import Row
from voxanne.openapi import describe
from voxanne.queries import analytics as queries
from voxanne.queries.calls import get_version
from voxanne.routes.calls_dashboard import reply_with_stats
from voxanne.schemas.analytics import Leads, Pulse, RecentActivity
from voxanne.schemas.calls import CallStats, StatsQuery
from voxanne.services import analytics

bp = Blueprint("analytics", __name__, url_prefix="/api/analytics")


@bp.get("/dashboard-pulse")
@describe("Analytics", Pulse)
def get_pulse() -> Response:
    """Return the numbers of all time: calls, bookings, leads, sentiment."""
    return _reply(queries.get_pulse, storable=True)


@bp.get("/leads")
@describe("Analytics", Leads)
def list_leads() -> Response:
    """Return the newest leads, hot ones first.

    At the most 100 hot, 100 warm and 50 cold ones: calls whose lead_temp was found out, test calls aside.
    """
    return _reply(lambda db, org_id: analytics.present_leads(queries.get_leads(db, org_id)))


@bp.get("/recent-activity")
@describe("Analytics", RecentActivity)
def list_recent_activity() -> Response:
    """Return the newest calls, hot leads and bookings, ten together."""
    return _reply(lambda db, org_id: analytics.present_events(queries.get_recent_activity(db, org_id)))


@bp.get("/dashboard-stats")
@describe("Analytics", CallStats)
def get_stats(query: StatsQuery) -> Response:
    """Return the same numbers as the statistics of the calls dashboard."""
    return reply_with_stats(query)


def _reply(load: Callable[[SyncPostgrestClient, str], Row], *, storable: bool = False) -> Response:
    caller = principal()
    db = database.for_principal(caller.token)
    return conditional.reply(
        caller.org_id,
        current_version=lambda: get_version(db, caller.org_id),
        load=lambda: load(db, caller.org_id),
        storable=storable,
    )
