"""Metrics for Prometheus."""

import hmac

from flask import Blueprint, Response, abort, current_app, request

from voxanne.config import Settings
from voxanne.errors import Unauthenticated
from voxanne.observability import metrics
from voxanne.openapi import describe
from voxanne.services import database_state
from voxanne.services.last_known import Sample, last_known

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
@describe("Monitoring", public=True, errors=(401, 404))
def get_metrics() -> Response:
    """Return the metrics of all processes of this server in Prometheus's text format.

    Takes METRICS_TOKEN as a bearer token. Without that setting there is nothing here, except in development on a
    loopback address, where it is open.
    """
    _check_token()
    gauges = database_state.gauges()
    if gauges is not None:
        last_known().note_sample(Sample(int(gauges["size_bytes"]), int(gauges["connections"])))
    return Response(metrics.exposition(gauges), content_type=metrics.CONTENT_TYPE)


def _check_token() -> None:
    settings: Settings = current_app.config["SETTINGS"]
    if settings.metrics_token is None:
        if settings.app_env == "development" and settings.bound_to_loopback:
            return
        abort(404)
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    expected = settings.metrics_token.get_secret_value()
    if scheme.lower() != "bearer" or not hmac.compare_digest(offered.strip().encode(), expected.encode()):
        raise Unauthenticated("Send METRICS_TOKEN as a bearer token.")
