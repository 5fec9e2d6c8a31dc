"""Phone numbers as the telephone network writes them: E.164, read by libphonenumber."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

# What networks and Twilio send instead of a number that is withheld; each spells a word on a telephone's keys.
_WITHHELD = {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}


def to_e164(text: str, country: str | None = None) -> str | None:
    """Return a number in E.164, or None if it can't be one.

    A number without its country's code is taken as one of that country ("US"); without a country it is refused.
    """
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None if e164 in _WITHHELD else e164
