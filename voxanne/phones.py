"""Phone numbers in E.164, read by libphonenumber."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

# What networks and Twilio send in the place of a withheld number: words such as "anonymous" typed on a phone's keys.
_WITHHELD = {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}


def to_e164(text: str, country: str | None = None, *, assigned: bool = False) -> str | None:
    """Return a number in E.164, or None if it is none or was withheld.

    A number without country code is read as one of `country` ("US"), and refused if no country is given. If it must be
    `assigned`, it is refused also where it has the right length but lies in a range that its country has not given out.
    """
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    if assigned and not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None if e164 in _WITHHELD else e164
