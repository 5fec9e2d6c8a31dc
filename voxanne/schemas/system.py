"""Replies of the routes about the program, the organisation and its people."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class Descriptor(BaseModel):
    """What this is."""

    name: str
    version: str
    endpoints: dict[str, str]


class CsrfToken(BaseModel):
    """A token to send as X-CSRF-Token with every change."""

    csrfToken: str  # noqa: N815
    expiresAt: datetime  # noqa: N815


class HealthServices(BaseModel):
    """What answers, or runs in this process."""

    database: bool
    supabase: bool
    backgroundJobs: bool  # noqa: N815
    webhookQueue: bool  # noqa: N815


class QueueMetrics(BaseModel):
    """Events that are kept on this machine; `failed` ones have been tried in vain, and are tried again."""

    waiting: int
    failed: int


class Health(BaseModel):
    """Whether the program can do its work."""

    status: Literal["ok", "degraded", "error"]
    services: HealthServices
    timestamp: datetime
    uptime: float
    database_size_mb: float | None
    queueMetrics: QueueMetrics | None  # noqa: N815


class OrgValidation(BaseModel):
    """The caller belongs to the organisation."""

    success: bool
    orgId: str  # noqa: N815
    orgName: str  # noqa: N815
    userId: str  # noqa: N815
    validated: bool
    message: str
