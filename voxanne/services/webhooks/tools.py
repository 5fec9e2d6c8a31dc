"""The tools: free times, booking, who is calling, and telling the clinic of a hot lead. Each returns what to say."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from voxanne import database
from voxanne.database import Row
from voxanne.phones import to_e164
from voxanne.queries import tools as queries
from voxanne.services import contacts, org_settings, phi_redaction, texts
from voxanne.services.webhooks import routing, speech, statuses
from voxanne.services.webhooks import tool_arguments as named
from voxanne.services.webhooks.deliveries import Outcome
from voxanne.services.webhooks.envelope import Event, ToolCall
from voxanne.services.webhooks.tool_arguments import Arguments
from voxanne.signals import text_queued

DEFAULT_MINUTES = 45
_MOST_TIMES = 8
_DAYS_TO_LOOK = 3
_FURTHEST = timedelta(days=730)

WHICH_DAY = "I did not get the day. Please ask for it and call this tool again with the date as YYYY-MM-DD."
WHICH_TIME = "I did not get the time. Please ask for it and call this tool again with the time as HH:MM."
WHICH_NUMBER = "I do not know the caller's number. Please ask for it, with the area code, and call this tool again."
TOO_FAR = "That is too far ahead to book. Please ask for an earlier day."
NO_SUCH_TIME = "That time does not exist on that day. Please ask for another one."


@dataclass(frozen=True)
class Line:
    """The call during which a tool is called."""

    org_id: str
    event: Event

    @cached_property
    def settings(self) -> Row:
        """The organisation's settings, from the cache."""
        return org_settings.load(database.as_service(), self.org_id) or {}

    @property
    def country(self) -> str | None:
        """The country whose numbers need no country code."""
        return self.settings.get("telephony_country")

    @cached_property
    def now(self) -> datetime:
        """The organisation's own time."""
        return datetime.now(ZoneInfo(self.settings.get("timezone") or "UTC"))

    @property
    def number(self) -> str | None:
        """The caller's number in E.164, None if it was withheld."""
        return to_e164(self.event.customer_number or "", self.country)

    @cached_property
    def call(self) -> Row:
        """The call as `queries.tools` takes it."""
        course = statuses.course(self.event, routing.direction_of(self.org_id, self.event), self.country)
        return {name: value for name, value in course.items() if value is not None}


def check_availability(line: Line, tool_call: ToolCall) -> str:
    """Say which times of a day are free; of a full one, those of the next days."""
    asked = Arguments(tool_call.arguments)
    day, wanted = asked.day(line.now, line.country), asked.time(line.now)
    if day is None:
        return WHICH_DAY
    if day < line.now.date():
        return f"{speech.day(day)} has passed. Please ask for another day."
    if day - line.now.date() > _FURTHEST:
        return TOO_FAR
    for later in range(_DAYS_TO_LOOK + 1):
        looked = day + timedelta(days=later)
        found = queries.available_slots(database.as_service(), line.org_id, looked, asked.minutes or DEFAULT_MINUTES)
        slots = [datetime.fromisoformat(slot["local"]) for slot in found["slots"]]
        if slots:
            return _offer(day, looked, slots, wanted)
    return f"Nothing is free on {speech.day(day)} and the {_DAYS_TO_LOOK} days after. Please ask for another day."


def book(line: Line, tool_call: ToolCall) -> str:
    """Book an appointment for the caller, or say why not and what is free instead."""
    asked = Arguments(tool_call.arguments)
    day, at = asked.day(line.now, line.country), asked.time(line.now)
    if day is None:
        return WHICH_DAY
    if at is None:
        return WHICH_TIME
    if day - line.now.date() > _FURTHEST:
        return TOO_FAR
    phone = line.number or asked.phone(line.country)
    if phone is None:
        return WHICH_NUMBER
    when = datetime.combine(day, at)
    wish = {
        "scheduled_at": when.isoformat(),
        "duration_minutes": asked.minutes or DEFAULT_MINUTES,
        "service_type": asked.text(named.SERVICE) or "Consultation",
        "name": asked.name,
        "phone": phone,
        "email": asked.email,
        "notes": asked.text(named.NOTES),
        "text": _confirmation(line, tool_call, asked.text(named.SERVICE), when),
    }
    given = {name: value for name, value in wish.items() if value}
    with contacts.changing(line.org_id):
        result = queries.book(database.as_service(), line.org_id, tool_call.id, call=line.call, booking=given)
    _tell_sender(result)
    return _booked(result, when, asked)


def find_caller(line: Line, _: ToolCall) -> str:
    """Say who is calling and what is booked for them, by the number they call from and no other."""
    if line.number is None:
        return "The caller's number was withheld, so I can't look them up. Please ask for their name."
    known = queries.find_caller(database.as_service(), line.org_id, line.number)
    if known["contact"] is None:
        return "This caller is new: nobody with their number is known yet. Please ask for their name."
    name = speech.name(known["contact"]["name"])
    sentences = [
        f"The caller is known as {name}." if name else "The caller has called before, but the name is not known."
    ]
    if booked := known["next_appointment"]:
        when = speech.moment(datetime.fromisoformat(booked["local"]))
        sentences.append(f"Their next appointment is on {when}: {booked['service_type']}.")
    else:
        sentences.append("They have no appointment to come.")
    return " ".join(sentences)


def notify_hot_lead(line: Line, tool_call: ToolCall) -> str:
    """Tell the clinic at once of a caller worth calling back, once for each call."""
    asked = Arguments(tool_call.arguments)
    phone = line.number or asked.phone(line.country)
    redact = line.settings.get("integration", {}).get("redact_transcripts") is not False
    name, summary = asked.name or line.event.customer_name or "", asked.text(named.SUMMARY)
    alert: Row = {
        "lead_name": name or "Unknown caller",
        "lead_phone": phone,
        "service_interest": asked.text(named.SERVICE) or None,
        "urgency_level": asked.text(named.URGENCY).lower() or "high",
        "summary": (phi_redaction.redact(summary, names=[name] if name else []) if redact else summary) or None,
    }
    alert["text"] = texts.hot_lead_text(line.event.call_id or tool_call.id, alert, line.settings)
    contact = {"phone": phone, **({"name": name} if name else {})} if phone else None
    with contacts.changing(line.org_id) as tell:
        result = queries.hot_lead(
            database.as_service(), line.org_id, tool_call.id, call=line.call, contact=contact, alert=alert
        )
        tell(result)
    _tell_sender(result)
    return "The clinic has been told and will call back as soon as possible."


BY_NAME: dict[str, Callable[[Line, ToolCall], str]] = {
    **dict.fromkeys(
        ("checkavailability", "availableslots", "getavailableslots", "getavailability"), check_availability
    ),
    **dict.fromkeys(("bookclinicappointment", "bookappointment", "scheduleappointment", "createappointment"), book),
    **dict.fromkeys(("lookupcaller", "findcaller", "getcaller", "identifycaller", "lookupcontact"), find_caller),
    **dict.fromkeys(("notifyhotlead", "hotlead", "reporthotlead"), notify_hot_lead),
}
"""The tools by name, in small letters and without anything between the words."""

CHANGING = {book, notify_hot_lead}
"""Those that change something."""

KEPT = {notify_hot_lead}
"""Those that can be made good later: nobody waits for what comes of them."""


def named_tool(name: str) -> Callable[[Line, ToolCall], str] | None:
    """Return the tool that a language model means by a name."""
    return BY_NAME.get(re.sub(r"[^a-z]", "", name.lower()))


def make_good(line: Line) -> Outcome:
    """Do what an event asked for while the database was away and can still be done; raises whatever goes wrong."""
    owed = [tool_call for tool_call in line.event.tool_calls if named_tool(tool_call.name) in KEPT]
    for tool_call in owed:
        notify_hot_lead(line, tool_call)
    return Outcome.APPLIED if owed else Outcome.IGNORED


def _offer(asked: date, looked: date, slots: list[datetime], wanted: time | None) -> str:
    if looked != asked:
        return f"Nothing is free on {speech.day(asked)}. On {speech.day(looked)} these are free: {_times(slots)}."
    for slot in slots:
        if slot.time() == wanted:
            return f"Yes, {speech.moment(slot)} is free."
    return f"{'No, but on' if wanted else 'On'} {speech.day(asked)} these are free: {_times(slots)}."


def _booked(result: Row, when: datetime, asked: Arguments) -> str:
    if result.get("booked"):
        booked = datetime.fromisoformat(result["local"])
        sentences = [f"Done: {result['service_type']} is booked for {speech.moment(booked)}."]
        if result.get("message_id"):
            sentences.append("The caller gets a text message to confirm it.")
        if asked.text(named.EMAIL) and not asked.email:
            sentences.append("The e-mail address could not be understood and was left out.")
        return " ".join(sentences)
    if result.get("invalid"):
        return NO_SUCH_TIME
    why = (
        "has been taken" if result.get("taken") else "has passed" if result.get("past") else "is outside opening hours"
    )
    others = [datetime.fromisoformat(slot["local"]) for slot in result.get("alternatives") or []]
    instead = (
        f"Free instead: {speech.choice([speech.moment(other) for other in others])}."
        if others
        else "Please ask for another day."
    )
    return f"{speech.moment(when)} {why}. {instead}"


def _tell_sender(result: Row) -> None:
    """Have the text that a tool call made sent now."""
    if result.get("message_id") and not result["duplicate"]:
        text_queued.send()


def _confirmation(line: Line, tool_call: ToolCall, service: str, when: datetime) -> Row | None:
    """Return the text for the number that is calling, not for one that somebody says."""
    integration = line.settings.get("integration") or {}
    if line.number is None or not (integration.get("twilio_account_sid") and integration.get("twilio_from_number")):
        return None
    clinic = " ".join(str(line.settings.get("name") or "Your clinic").split())[:100]
    what = " ".join(service.split())[:100] or "appointment"
    body = f"{clinic}: your {what} is booked for {speech.moment(when)}. (ref {texts.reference(tool_call.id)})"
    return {"to": line.number, "body": body}


def _times(slots: list[datetime]) -> str:
    """Return a few of the times, spread over the day, the full hours first."""
    round_ones = [slot for slot in slots if slot.minute == 0]
    shown = round_ones if len(round_ones) > _MOST_TIMES // 2 else slots
    step = max(1, -(-len(shown) // _MOST_TIMES))
    return speech.choice([speech.clock(slot) for slot in shown[::step]], "and")
