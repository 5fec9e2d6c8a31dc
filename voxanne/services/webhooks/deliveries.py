"""A delivery of an event, what became of it, and where it is kept while the database is away."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol


class Outcome(enum.StrEnum):
    """What became of a delivery, in the words of `signals.webhook_event`."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    ANSWERED = "answered"
    SPOOLED = "spooled"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(frozen=True)
class Delivery:
    """An event that has been found genuine; without `org_id` it has still to be found out whose it is."""

    source: Literal["vapi", "twilio"]
    org_id: str | None
    payload: dict[str, Any]
    received_at: datetime
    attempts: int = 1


class Spool(Protocol):
    """Keeps deliveries so that not even a crash loses them, until the database is back."""

    def put(self, delivery: Delivery) -> None:
        """Keep one; when this returns it is safe."""
        ...
