"""Arguments of a tool call, whatever a language model calls them."""

import re
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from voxanne.phones import to_e164
from voxanne.services.stored_text import clean, is_email
from voxanne.services.webhooks import spoken_times

DAY = ("date", "appointmentdate", "day", "preferreddate", "requesteddate")
TIME = ("time", "appointmenttime", "preferredtime", "starttime", "requestedtime", "slot")
MOMENT = ("scheduledat", "datetime", "start", "startsat", "appointmentdatetime", "when")
NAME = ("name", "patientname", "fullname", "customername", "callername", "leadname", "contactname")
FIRST_NAME, LAST_NAME = ("firstname", "patientfirstname"), ("lastname", "patientlastname", "surname")
EMAIL = ("email", "patientemail", "customeremail", "emailaddress", "contactemail")
PHONE = ("phone", "patientphone", "customerphone", "phonenumber", "contactphone", "leadphone", "callbacknumber")
SERVICE = ("service", "servicetype", "serviceinterest", "treatment", "procedure", "proceduretype", "appointmenttype")
MINUTES = ("duration", "durationminutes", "minutes", "length")
NOTES = ("notes", "note", "comment", "reason", "message")
SUMMARY = ("summary", "notes", "details", "reason", "message")
URGENCY = ("urgency", "urgencylevel", "priority")

_LONGEST = 2000
_DAY_IN_MINUTES = 1440


class Arguments:
    """A look into the arguments by what they mean; what is not there, or makes no sense, is "" or None."""

    def __init__(self, given: dict[str, Any]) -> None:
        # Of two spellings the first counts.
        self._given = {_bare(key): value for key, value in reversed(given.items())}

    def text(self, names: tuple[str, ...]) -> str:
        """Return the first of the named ones that is there, as text."""
        values = (self._given.get(name) for name in names)
        plain = (clean(str(value), _LONGEST) for value in values if isinstance(value, (str, int, float)))
        return next((text for text in plain if text), "")

    @property
    def name(self) -> str:
        """Who it is for."""
        return self.text(NAME) or " ".join(filter(None, (self.text(FIRST_NAME), self.text(LAST_NAME))))

    @property
    def email(self) -> str:
        """An e-mail address, if what was given can be one."""
        given = self.text(EMAIL)
        return given if is_email(given) else ""

    @property
    def minutes(self) -> int | None:
        """How long it is to take."""
        found = re.match(r"\d{1,4}", self.text(MINUTES))
        minutes = int(found.group()) if found else 0
        return minutes if 0 < minutes <= _DAY_IN_MINUTES else None

    def phone(self, country: str | None) -> str | None:
        """Return the number in E.164."""
        return to_e164(self.text(PHONE), country)

    def day(self, now: datetime, country: str | None) -> date | None:
        """Return the day that is wanted; `now` is the clinic's own time."""
        moment = self._moment(now)
        if moment is not None:
            return moment.date()
        said = self.text(DAY) or self.text(MOMENT)
        return spoken_times.read_day(said, now.date(), day_first=country != "US")

    def time(self, now: datetime) -> time | None:
        """Return the time of the day that is wanted, the clinic's own; `now` is that, too."""
        moment = self._moment(now)
        if moment is not None:
            return moment.time()
        return spoken_times.read_time(self.text(TIME) or self.text(MOMENT))

    def _moment(self, now: datetime) -> datetime | None:
        zone = now.tzinfo if isinstance(now.tzinfo, ZoneInfo) else ZoneInfo("UTC")
        # A day beside a whole moment can only repeat it; a time beside a whole moment is in its place.
        found = (spoken_times.read_moment(self.text(names), zone) for names in (MOMENT, TIME, DAY))
        return next((moment for moment in found if moment), None)


def _bare(key: Any) -> str:
    return re.sub(r"[^a-z]", "", str(key).lower())
