"""Pieces that several nouns share."""

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, StringConstraints

from voxanne.phones import to_e164

_FIRST_YEAR, _LAST_YEAR = 1900, 2200
NO_PHONE_NUMBER = "must be an international phone number such as +14155550123"
_SEPARATORS = re.compile(r"[\s().-]")
_NATIONAL = re.compile(r"[\d\s().\-/]*")
_FEWEST_DIGITS = 7
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_OFFSET_AFTER_LOST_PLUS = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")


class Done(BaseModel):
    """It is done."""

    success: bool
    message: str | None = None


class Me(BaseModel):
    """The caller."""

    id: str
    email: str | None
    orgId: str  # noqa: N815


def parse_moment(value: Any) -> date | datetime:
    """Read an ISO 8601 date or time, or an RFC 2822 one; a day stays a day, as its end depends on a time zone."""
    if isinstance(value, date):
        return value
    text = _OFFSET_AFTER_LOST_PLUS.sub(r"\1+\2", str(value).strip())
    try:
        moment = _parse(text)
    except (ValueError, TypeError):
        raise ValueError("must be a date such as 2026-01-31 or a time such as 2026-01-31T09:30:00Z") from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"must lie between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment


def _parse(text: str) -> date | datetime:
    if len(text) == len("2026-01-31"):
        return date.fromisoformat(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def _utc(moment: date | datetime) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _strip_separators(value: Any) -> Any:
    return _SEPARATORS.sub("", value) if isinstance(value, str) else value


def _check_e164(value: str) -> str:
    if not _E164.fullmatch(value):
        raise ValueError(NO_PHONE_NUMBER)
    return value


def read_number(text: str) -> str:
    """Return a number in E.164; raises ValueError unless the telephone network could have it."""
    number = to_e164(text)
    if number is None:
        raise ValueError(NO_PHONE_NUMBER)
    return number


def _check_dialled(text: str) -> str:
    if _NATIONAL.fullmatch(text) and sum(map(str.isdigit, text)) >= _FEWEST_DIGITS:
        return text
    return read_number(text)


def _clean(value: Any) -> Any:
    # Postgres knows no NUL. All else stays, as names hold no-break spaces, and emoji hold joiners.
    return value.replace("\0", "").strip() if isinstance(value, str) else value


Moment = Annotated[date | datetime, BeforeValidator(parse_moment)]
"""A day or a moment in time, as the caller wrote it."""

Instant = Annotated[datetime, BeforeValidator(parse_moment), AfterValidator(_utc)]
"""A moment in time; a day means its midnight and a time without a zone is taken as UTC."""

PhoneNumber = Annotated[str, BeforeValidator(_strip_separators), AfterValidator(_check_e164)]
"""A phone number in E.164; spaces, dashes, dots and parentheses are taken out."""

DialledNumber = Annotated[str, StringConstraints(max_length=100), AfterValidator(_check_dialled)]
"""A phone number in any notation: turned into E.164 where it has a country code, else as it was written."""

SearchText = Annotated[str, StringConstraints(max_length=200), BeforeValidator(_clean)]
"""What somebody typed into a search box."""
