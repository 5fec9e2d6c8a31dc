"""Events that providers send, and how they are acknowledged."""
# ruff: noqa: N815 -- the contract's spelling

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from voxanne.openapi import ReadByView


class VapiEvent(ReadByView):
    """An event of the voice provider: `type` and `call` and more, as its documentation says."""

    message: dict[str, Any]


class SmsStatus(BaseModel):
    """What Twilio reports of a text, as a form."""

    MessageSid: str
    MessageStatus: str
    ErrorCode: str | None = None


class VapiReply(BaseModel):
    """An acknowledgement; or what was asked for: an assistant, an error to say, or the results of tools."""

    model_config = ConfigDict(extra="forbid")

    success: bool | None = None
    received: bool | None = None
    jobId: str | None = None
    processed: Literal["sync", "async"] | None = None
    outcome: Literal["applied", "duplicate", "ignored", "spooled", "unknown", "dead"] | None = None
    context: str | None = None
    chunks: list[Any] | None = None
    assistantId: str | None = None
    assistantOverrides: dict[str, Any] | None = None
    error: str | None = None
    results: list[dict[str, str]] | None = None
    result: str | None = None


class Received(BaseModel):
    """It has arrived."""

    received: bool


class WebhookHealth(BaseModel):
    """The webhook side is up."""

    status: Literal["ok"]
    timestamp: datetime


class WebhookStatus(WebhookHealth):
    """What the webhook side is set up with: a secret of the platform, the older scheme, and a spool."""

    secretConfigured: bool
    sharedSecretAccepted: bool
    spool: bool
