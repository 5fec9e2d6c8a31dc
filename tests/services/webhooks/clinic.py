"""A clinic with an assistant, and the voice provider that sends its events."""

import hashlib
import hmac
import itertools
import time
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import WEBHOOK_SECRET
from tests.factories import Factory
from tests.services.webhooks import events

URL = "/api/vapi/webhook"
_numbers = itertools.count(7_000_000)


def signature(body: bytes, secret: str = WEBHOOK_SECRET, stamp: str | None = None) -> dict[str, str]:
    stamp = stamp or str(int(time.time()))
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Signature": signed, "X-Timestamp": stamp}


def post(app: Flask, body: bytes, headers: dict[str, str], *, url: str = URL, **kwargs: Any) -> TestResponse:
    headers = {"Content-Type": "application/json", **headers}
    return app.test_client().post(url, data=body, headers=headers, **kwargs)


@dataclass
class Clinic:
    """An organisation whose assistant, number and calls nobody else has."""

    factory: Factory
    app: Flask
    org_id: str
    assistant: str
    number: str
    call_id: str

    def call(self, **more: Any) -> events.Json:
        return events.call(**{"call_id": self.call_id, "assistant": self.assistant, "phoneNumberId": None, **more})

    def send(self, payload: Any, *, secret: str = WEBHOOK_SECRET, url: str = URL, **headers: str) -> TestResponse:
        """Send an event with the clinic's own number, signed."""
        if isinstance(payload, dict) and "message" in payload:
            payload["message"]["phoneNumber"] = {"number": self.number}
        body = orjson.dumps(payload)
        return post(self.app, body, {**signature(body, secret), **headers}, url=url)

    def rows(self, table: str) -> list[dict[str, Any]]:
        order = "id" if table != "public.call_logs" else "created_at"
        return self.factory.sql.execute(
            f"select * from {table} where org_id = %s order by {order}", [self.org_id]
        ).fetchall()

    def written(self) -> dict[str, int]:
        """How many rows of every kind that an event could write there are."""
        tables = (
            "call_logs", "calls", "contacts", "appointments", "hot_lead_alerts", "notifications", "messages",
            "processed_webhook_events", "webhook_delivery_log", "webhook_dead_letters",
        )  # fmt: skip
        return {table: len(self.rows(f"public.{table}")) for table in tables}


def clinic(factory: Factory, *, app: Flask | None = None, **org: Any) -> Clinic:
    made = uuid.uuid4().hex[:12]
    org_id = factory.org(**{"timezone": "America/New_York", **org})
    assistant, number = f"asst-{made}", f"+1415{next(_numbers)}"
    factory.insert("public.agents", org_id=org_id, role="inbound", name="Eve", vapi_assistant_id=assistant)
    factory.insert(
        "public.inbound_agent_config", org_id=org_id, vapi_assistant_id=assistant, twilio_phone_number=number
    )
    return Clinic(factory, app or factory.app, org_id, assistant, number, f"call-{made}")
