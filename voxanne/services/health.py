"""Whether the program can do its work: only what was really asked, nothing assumed."""

import sqlite3

import httpx
from flask import current_app
from postgrest.exceptions import APIError

from voxanne import database
from voxanne.queries import monitoring
from voxanne.services.webhooks import drainer, spool
from voxanne.services.webhooks.spool import Size

PROBE_SECONDS = 2.0
DEGRADED_SHARE, ERROR_SHARE = 0.80, 0.96
_MEGABYTE = 1024 * 1024


def database_size_mb() -> float | None:
    """Return the size of the database, which proves that it answers; None if it does not."""
    try:
        return round(monitoring.database_size_bytes(database.as_service()) / _MEGABYTE, 1)
    except (APIError, httpx.HTTPError):
        return None


def supabase_answers() -> bool:
    """Whether the Auth server answers."""
    return database.supabase().auth_answers(PROBE_SECONDS)


def background_jobs_run() -> bool:
    """Whether the thread that applies kept events and sends texts runs in this process."""
    return drainer.of(current_app).is_running


def waiting_events() -> Size | None:
    """Return how many events wait on this machine for the database; None if none can be kept here."""
    kept_in = spool.of(current_app)
    try:
        return kept_in.size() if kept_in else None
    except (sqlite3.Error, OSError):
        return None


def judge(size_mb: float | None, *, supabase: bool, limit_mb: int) -> str:
    """Return "ok", "degraded" or "error"; a limit of 0 means that the size does not matter."""
    if size_mb is None:
        return "error"
    share = size_mb / limit_mb if limit_mb else 0
    if share > ERROR_SHARE:
        return "error"
    return "degraded" if share > DEGRADED_SHARE or not supabase else "ok"
