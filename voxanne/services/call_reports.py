"""What a call's end report says, as rows: analysed, redacted, and cleaned so that the database refuses no value."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from voxanne.database import Row
from voxanne.services import lead_scoring, phi_redaction, sentiment, texts
from voxanne.services.call_type_detector import CallType
from voxanne.services.conversations import Segment, said_by_caller, segments
from voxanne.services.sentiment import Analyser, Mood, WordList
from voxanne.services.stored_text import clean, is_email
from voxanne.services.webhooks import statuses
from voxanne.services.webhooks.envelope import Event

UNKNOWN_LEAD = "Unknown caller"
_LARGEST_INT, _LARGEST_VALUE = 2**31 - 1, 9_999_999_999.99
_LONGEST_NAME, _LONGEST_SERVICE, _LONGEST_REASON = 200, 200, 200
_LONGEST_SUMMARY, _LONGEST_URL, _MOST_TOOLS, _LONGEST_TOOL, _LONGEST_NUMBER = 4000, 2000, 50, 100, 100
_MOST_ITEMS, _LONGEST_ITEM, _SENTENCES = 5, 300, 2
_NAME_KEYS = (
    "name", "fullName", "full_name", "customerName", "customer_name", "callerName", "caller_name", "patientName",
    "patient_name",
)  # fmt: skip
_EMAIL_KEYS = (
    "email", "emailAddress", "email_address", "customerEmail", "patientEmail", "customer_email", "patient_email",
)  # fmt: skip
_ITEM_KEYS = ("actionItems", "action_items", "nextSteps", "next_steps", "followUps", "follow_ups")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_PROMISE = re.compile(
    r"\b(?:(?:i|we)(?:'ll| will)|(?:someone|somebody|our team|the team|a nurse|the doctor)(?: will|'ll))\b.{0,60}?"
    r"\b(?:call|ring|send|text|e-?mail|get back|follow up|pass|check|arrange|forward)\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:call me(?: back)?|(?:send|text|e-?mail) me|get back to me|let me know|"
    r"(?:cancel|move|reschedule|change) my)\b",
    re.IGNORECASE,
)


def describe(
    event: Event,
    *,
    direction: CallType,
    services: list[Row],
    settings: Row,
    redact: bool,
    names: Iterable[str] = (),
    analyser: Analyser | None = None,
) -> Row:
    """Return the `call`, `contact` and `alert` of an end report, as `queries.call_events.apply` takes them.

    `services` is the price list, `settings` what `org_settings.load` returns; `names` are redacted as are those in the
    report. `contact` is None for a test call or a withheld number, `alert` unless the lead is hot.
    Mood and lead score come from the caller's words alone, since an assistant who says "How can I help you today?"
    makes nobody urgent; a caller who said nothing gets no lead score.
    """
    conversation = segments(event)
    said = said_by_caller(conversation)
    mood = (analyser or WordList()).analyse(said)
    name = _name(event, conversation)
    known = (name, event.customer_name, *_structured(event, _NAME_KEYS), *names)
    redactor = _Redactor([one for one in known if one], enabled=redact)
    summary = clean(event.summary or "", _LONGEST_SUMMARY)
    mood_summary = _first_sentences(summary) or clean(mood.summary, _LONGEST_SUMMARY)
    call = {
        **_course(event, direction, settings),
        "caller_name": name,
        "transcript": redactor.segments(conversation),
        "sentiment_score": _between_0_and_1(mood.score),
        "sentiment_label": sentiment.normalize(mood.label),
        "sentiment_urgency": sentiment.normalize_urgency(mood.urgency) or "Low",
        "sentiment_summary": redactor.text(mood_summary) or None,
        "outcome_summary": redactor.text(summary) or None,
        "action_items": [redactor.text(item) for item in _action_items(event, conversation)],
        **_lead(services, "\n".join(said), mood),
    }
    return {"call": call, "contact": _contact(event, call), "alert": _alert(event, call, settings)}


class _Redactor:
    """Redacts what is stored for display, if the organisation wants it."""

    def __init__(self, names: Sequence[str], *, enabled: bool) -> None:
        self._names, self._enabled = names, enabled

    def text(self, text: str) -> str:
        return phi_redaction.redact(text, names=self._names) if self._enabled else text

    def segments(self, conversation: Sequence[Segment]) -> list[Row]:
        turns = [(turn.speaker, turn.text) for turn in conversation]
        stored = phi_redaction.redact_turns(turns, names=self._names) if self._enabled else [text for _, text in turns]
        return [
            {"speaker": turn.speaker, "text": text, "timestamp": turn.milliseconds}
            for turn, text in zip(conversation, stored, strict=True)
        ]


def _course(event: Event, direction: CallType, settings: Row) -> Row:
    """Return how the call went, without what was said."""
    numbers = statuses.parties(event, direction, settings.get("telephony_country"))
    status = statuses.ended_status(event.ended_reason, transferred=bool(event.transfer_to))
    url = event.recording_url if (event.recording_url or "").startswith(("https://", "http://")) else None
    url = clean(url or "", _LONGEST_URL) if url and len(url) <= _LONGEST_URL else None
    ended = _not_before(event.ended_at, event.started_at)
    return {
        "vapi_call_id": event.call_id,
        "call_type": direction,
        "phone_number": numbers["phone_number"],
        "from_number": clean(numbers["from_number"] or "", _LONGEST_NUMBER) or None,
        "to_number": clean(numbers["to_number"] or "", _LONGEST_NUMBER) or None,
        "status": status,
        "outcome": status,
        "started_at": event.started_at.isoformat() if event.started_at else None,
        "ended_at": ended.isoformat() if ended else None,
        "duration_seconds": _duration(event, ended),
        "ended_reason": clean(event.ended_reason or "", _LONGEST_REASON) or None,
        "cost_cents": cents(event.cost),
        "recording_url": url,
        "recording_status": "completed" if url else None,
        "tools_used": _tools(event.tool_names),
        "transfer_to": clean(event.transfer_to or "", _LONGEST_NUMBER) or None,
        "is_test_call": event.call_type == "webCall",
        "metadata": {"channel": statuses.channel(event)},
    }


def cents(dollars: float | None) -> int:
    """Return dollars in cents, half a cent rounded up; 0 for None, a negative or an infinite cost."""
    if dollars is None or not math.isfinite(dollars) or dollars <= 0:
        return 0
    exact = Decimal(str(min(dollars, _LARGEST_INT / 100)))
    return int((exact * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _duration(event: Event, ended: datetime | None) -> int | None:
    seconds: float | None = event.duration_seconds
    if seconds is None and event.started_at and ended:
        seconds = (ended - event.started_at) / timedelta(seconds=1)
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(_LARGEST_INT, max(0, round(seconds)))


def _not_before(ended: datetime | None, started: datetime | None) -> datetime | None:
    return max(ended, started) if ended and started else ended


def _between_0_and_1(score: float) -> float:
    return round(min(1.0, max(0.0, score)), 3) if math.isfinite(score) else 0.5


def _tools(names: Iterable[str]) -> list[str]:
    cleaned = (clean(name, _LONGEST_TOOL) for name in names)
    return list(dict.fromkeys(name for name in cleaned if name))[:_MOST_TOOLS]


def _structured(event: Event, keys: Iterable[str]) -> list[str]:
    values = (event.structured.get(key) for key in keys)
    return [value.strip() for value in values if isinstance(value, str) and value.strip()]


def _name(event: Event, conversation: Sequence[Segment]) -> str | None:
    """Return the caller's name from the provider's analysis, else from its customer record, else as introduced."""
    parts = [*_structured(event, ("firstName", "first_name"))[:1], *_structured(event, ("lastName", "last_name"))[:1]]
    given = [*_structured(event, _NAME_KEYS), " ".join(parts), (event.customer_name or "").strip()]
    name = next((name for name in given if name and phi_redaction.is_name(name)), None)
    name = name or phi_redaction.introduced_name([(turn.speaker, turn.text) for turn in conversation])
    return clean(name or "", _LONGEST_NAME) or None


def _lead(services: list[Row], words: str, mood: Mood) -> Row:
    """Return the columns about the lead: how promising it is, which service it is about, and what that is worth."""
    lead = lead_scoring.score_lead(words, mood.label) if words.strip() else None
    service = lead_scoring.dearest_mentioned(services, words)
    price = float(service["price"]) if service else 0.0
    return {
        "lead_score": lead.score if lead else None,
        "lead_temp": lead.tier if lead else None,
        "financial_value": min(_LARGEST_VALUE, max(0.0, round(price, 2))),
        "procedure_intent": clean(str(service["name"]), _LONGEST_SERVICE) if service else None,
    }


def _contact(event: Event, call: Row) -> Row | None:
    if call["phone_number"] is None or call["is_test_call"]:
        return None
    emails = (clean(email, _LONGEST_SUMMARY) for email in _structured(event, _EMAIL_KEYS))
    known = {
        "name": call["caller_name"],
        "email": next(filter(is_email, emails), None),
        "lead_status": call["lead_temp"],
        "lead_score": call["lead_score"],
        "service_interests": [call["procedure_intent"]] if call["procedure_intent"] else None,
    }
    return {
        "phone": call["phone_number"],
        **{key: value for key, value in known.items() if value is not None and value != ""},
    }


def _alert(event: Event, call: Row, settings: Row) -> Row | None:
    if call["lead_temp"] != "hot" or call["is_test_call"]:
        return None
    alert = {
        "lead_name": call["caller_name"] or UNKNOWN_LEAD,
        "lead_phone": call["phone_number"],
        "service_interest": call["procedure_intent"],
        "urgency_level": call["sentiment_urgency"].lower(),
        "summary": call["sentiment_summary"],
        "lead_score": call["lead_score"],
    }
    return {**alert, "text": texts.hot_lead_text(event.call_id or "", alert, settings)}


def _action_items(event: Event, conversation: Sequence[Segment]) -> list[str]:
    """Return those of the provider's analysis, else the caller's requests and the assistant's promises as said."""
    listed = next((value for key in _ITEM_KEYS if isinstance(value := event.structured.get(key), list)), None)
    if listed is not None:
        found: list[Any] = [item for item in listed if isinstance(item, str)]
    else:
        found = [
            sentence
            for turn in conversation
            for sentence in _SENTENCE_END.split(turn.text)
            if (_PROMISE if turn.speaker == "agent" else _WISH).search(sentence)
        ]
    cleaned = (clean(item, _LONGEST_ITEM) for item in found)
    return list(dict.fromkeys(item for item in cleaned if item))[:_MOST_ITEMS]


def _first_sentences(summary: str) -> str:
    return " ".join(_SENTENCE_END.split(summary.strip())[:_SENTENCES])
