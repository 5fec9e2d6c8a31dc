"""Figures that give a person away: phone, card and social-security numbers, dates of birth; written or said.

The text is walked through once. What was heard before decides what a row of figures is, so every word that speaks of
phones, cards and so on is remembered with its place, counted in steps: a row of figures is one step, as is the marker
that takes its place. So a text that was redacted before is read in the same way again.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from stdnum import luhn

from voxanne.services.phi_dates import SpokenDate, read_date
from voxanne.services.phi_tokens import BIRTH, CARD, NUMBER, PHONE, SSN, Span, Token, word_at
from voxanne.services.spoken_numbers import Run, read_run

Topic = Literal["phone", "card", "ssn", "birth", "account"]

FAR_PAST_YEARS = 3
_BIRTH_WORDS = ("born", "birthday", "birthdate", "birth", "dob")
_TOPICS: dict[str, Topic] = {
    **dict.fromkeys(("phone", "telephone", "cell", "cellphone", "mobile", "fax", "whatsapp"), "phone"),
    **dict.fromkeys(("number", "numbers", "digits"), "phone"),
    **dict.fromkeys(("card", "visa", "mastercard", "amex", "cvv", "cvc", "expiry", "expiration", "expires"), "card"),
    **dict.fromkeys(("ssn", "social"), "ssn"),
    **dict.fromkeys(_BIRTH_WORDS, "birth"),
    **dict.fromkeys(("policy", "insurance", "medicare", "medicaid", "account", "mrn"), "account"),
    **dict.fromkeys(("passport", "licence", "license"), "account"),
}  # fmt: skip
# After these the talk is of something else.
_CLOSING = {
    "price", "prices", "cost", "costs", "fee", "fees", "total", "quote", "deposit", "appointment", "dollars", "slot",
    "slots",
    "opening", "openings", "available", "units", "sessions", "syringes",
}  # fmt: skip
_REACH: dict[Topic, int] = {"phone": 14, "card": 20, "ssn": 14, "birth": 14, "account": 12}
_BIRTH_WITHOUT_YEAR = 8
_PHONE_FROM, _PHONE_TO, _CARD_FROM, _CARD_TO, _SSN_LENGTH = 7, 12, 13, 19, 9
_SHORTEST: dict[Topic, int] = {"phone": 3, "card": 3, "ssn": 4, "birth": 4, "account": 5}
_LONGEST: dict[Topic, int] = {"birth": 8, "ssn": 9}
_MARKERS: dict[Topic, str] = {"phone": PHONE, "card": CARD, "ssn": SSN, "birth": BIRTH, "account": NUMBER}
_CURRENCY = set("$£€")
_WORDS_D_O_B = ("d", "o", "b")


@dataclass
class Walk:
    """Walks through the turns of one conversation and remembers what was spoken of."""

    this_year: int = field(default_factory=lambda: datetime.now(UTC).year)
    steps: int = 0
    heard: dict[Topic, int] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    found: list[Span] = field(default_factory=list)

    def find(self, tokens: list[Token]) -> list[Span]:
        """Return where such figures stand in the next turn."""
        self.tokens, self.found = tokens, []
        index = 0
        while index < len(tokens):
            self.steps += 1
            index = self._date(index) or self._figures(index) or self._word(index)
        return self.found

    def _word(self, index: int) -> int:
        token = self.tokens[index]
        if token.is_marker:
            return index + 1
        if token.word in _CLOSING:
            self.heard.clear()
        topic = self._topic(index)
        # A "card number" is none of a phone.
        of_another = token.word in {"number", "numbers"} and (
            self._just("card") or self._just("ssn") or self._just("account")
        )
        if topic and not of_another:
            self.heard[topic] = self.steps
        return index + 1

    def _topic(self, index: int) -> Topic | None:
        word = self.tokens[index].word
        if word == "social" and word_at(self.tokens, index + 1) == "media":
            return None
        if word == "b" and self._letters_before(index):
            return "birth"
        return _TOPICS.get(word.removesuffix("'s"))

    def _letters_before(self, index: int) -> bool:
        before = [token.word for token in self.tokens[max(0, index - 4) : index + 1] if token.is_word]
        return tuple(before[-3:]) == _WORDS_D_O_B

    def _near(self, topic: Topic, reach: int | None = None) -> bool:
        return topic in self.heard and self.steps - self.heard[topic] <= (reach or _REACH[topic])

    def _just(self, topic: Topic) -> bool:
        return self._near(topic, 3)

    def _date(self, index: int) -> int | None:
        date = read_date(self.tokens, index, self.this_year)
        if date is None:
            return None
        if self._is_birth(date) or (not date.is_time and self._called_birth(date.end)):
            self._keep(index, date.end, BIRTH)
        elif self._near("card") and (date.is_short or (date.year is not None and not date.is_full)):
            self._keep(index, date.end, CARD)
        return date.end

    def _called_birth(self, end: int) -> bool:
        """Whether "is my date of birth" or the like follows."""
        words = tuple(word_at(self.tokens, end + place) for place in range(5))
        return words[:2] == ("is", "my") and (words[2] in _BIRTH_WORDS or words[2:] == ("date", "of", "birth"))

    def _is_birth(self, date: SpokenDate) -> bool:
        if date.year is None:
            return self._near("birth", _BIRTH_WITHOUT_YEAR) and not date.is_time
        if date.year > self.this_year:
            return False
        return self._near("birth") or (date.is_full and date.year <= self.this_year - FAR_PAST_YEARS)

    def _figures(self, index: int) -> int | None:
        run = read_run(self.tokens, index)
        if run is None:
            return None
        if word_at(self.tokens, index - 1) in _CURRENCY:
            return run.first_amount_end
        marker = BIRTH if run.digits and self._called_birth(run.end) else self._marker(run)
        if marker:
            self._keep(index, run.end, marker)
        return run.end

    def _marker(self, run: Run) -> str | None:
        length = len(run.digits)
        if self._is_card(run.digits):
            return CARD
        if run.is_international:
            return PHONE
        if length >= _CARD_FROM:
            return CARD if self._near("card") else NUMBER
        if run.is_plain and not run.is_amount:
            return self._by_topic(length) or self._by_form(run)
        return self._by_form(run)

    def _by_topic(self, length: int) -> str | None:
        for topic in sorted(self.heard, key=lambda topic: -self.heard[topic]):
            if self._near(topic) and _SHORTEST[topic] <= length <= _LONGEST.get(topic, length):
                return _MARKERS[topic]
        return None

    def _by_form(self, run: Run) -> str | None:
        length = run.counted
        if run.is_social:
            return SSN
        if not length >= _PHONE_FROM or run.is_amount or run.is_list:
            return None
        if len(run.digits) > _PHONE_TO:
            return NUMBER
        return SSN if len(run.digits) == _SSN_LENGTH and self._near("ssn") else PHONE

    def _is_card(self, digits: str) -> bool:
        """Whether it begins with a valid card number; date of expiry and security code may follow."""
        lengths = range(min(len(digits), _CARD_TO), _CARD_FROM - 1, -1)
        return digits.strip("0") != "" and any(luhn.is_valid(digits[:length]) for length in lengths)

    def _keep(self, first: int, end: int, marker: str) -> None:
        # "oh" begins a number only if one follows.
        first -= word_at(self.tokens, first - 1) in {"oh", "o"} and self.tokens[first].is_word
        self.found.append(Span(self.tokens[first].start, self.tokens[end - 1].end, marker))
