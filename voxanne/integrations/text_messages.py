"""What Twilio and its stand-in have in common: the account that sends, and a text as it was sent."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """An organisation's Twilio account and number; the token is left out where it is printed."""

    sid: str
    token: str
    number: str

    def __repr__(self) -> str:
        return f"Account({self.sid!r})"


@dataclass(frozen=True)
class SentText:
    """A text as Twilio lists it."""

    sid: str
    body: str
    status: str
