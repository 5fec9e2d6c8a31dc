"""Numbers that identify a person, written or said: phone, card and social-security numbers, dates of birth.

What was spoken of before decides what kind of number a run of digits is. So the text is read once from its start, and
for each topic (phones, cards ...) the place where it last came up is remembered. Places are counted in steps; a whole
run of digits is one step, and so is the marker that replaces it, so that a text redacted before reads in the same way.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from stdnum import luhn

from voxanne.services.phi_redaction.dates import SpokenDate, read_date
from voxanne.services.phi_redaction.spoken_numbers import Run, read_run
from voxanne.services.phi_redaction.tokens import BIRTH, CARD, NUMBER, PHONE, SSN, Span, Token, word_at

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
# With these the conversation turns to something else.
_OTHER_TOPICS = {
    "price", "prices", "cost", "costs", "fee", "fees", "total", "quote", "deposit", "appointment", "dollars", "slot",
    "slots", "opening", "openings", "available", "units", "sessions", "syringes",
}  # fmt: skip
_STEPS_REMEMBERED: dict[Topic, int] = {"phone": 14, "card": 20, "ssn": 14, "birth": 14, "account": 12}
_BIRTH_WITHOUT_YEAR = 8
_PHONE_FROM, _PHONE_TO, _CARD_FROM, _CARD_TO, _SSN_LENGTH = 7, 12, 13, 19, 9
_SHORTEST: dict[Topic, int] = {"phone": 3, "card": 3, "ssn": 4, "birth": 4, "account": 5}
_LONGEST: dict[Topic, int] = {"birth": 8, "ssn": 9}
_MARKERS: dict[Topic, str] = {"phone": PHONE, "card": CARD, "ssn": SSN, "birth": BIRTH, "account": NUMBER}
_CURRENCY = set("$£€")
_DOB_LETTERS = ("d", "o", "b")


@dataclass
class NumberFinder:
    """Finds numbers in the turns of one conversation, which it must be given in their order."""

    this_year: int = field(default_factory=lambda: datetime.now(UTC).year)
    steps: int = 0
    heard: dict[Topic, int] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    found: list[Span] = field(default_factory=list)

    def find(self, tokens: list[Token]) -> list[Span]:
        """Return where identifying numbers stand in the next turn."""
        self.tokens, self.found = tokens, []
        index = 0
        while index < len(tokens):
            self.steps += 1
            index = self._date(index) or self._number(index) or self._word(index)
        return self.found

    def _word(self, index: int) -> int:
        token = self.tokens[index]
        if token.is_marker:
            return index + 1
        if token.word in _OTHER_TOPICS:
            self.heard.clear()
        topic = self._topic(index)
        # In "card number" the second word does not mean a phone's.
        continues_topic = token.word in {"number", "numbers"} and (
            self._was_just_heard("card") or self._was_just_heard("ssn") or self._was_just_heard("account")
        )
        if topic and not continues_topic:
            self.heard[topic] = self.steps
        return index + 1

    def _topic(self, index: int) -> Topic | None:
        word = self.tokens[index].word
        if word == "social" and word_at(self.tokens, index + 1) == "media":
            return None
        if word == "b" and self._spells_dob(index):
            return "birth"
        return _TOPICS.get(word.removesuffix("'s"))

    def _spells_dob(self, index: int) -> bool:
        before = [token.word for token in self.tokens[max(0, index - 4) : index + 1] if token.is_word]
        return tuple(before[-3:]) == _DOB_LETTERS

    def _was_heard(self, topic: Topic, reach: int | None = None) -> bool:
        return topic in self.heard and self.steps - self.heard[topic] <= (reach or _STEPS_REMEMBERED[topic])

    def _was_just_heard(self, topic: Topic) -> bool:
        return self._was_heard(topic, 3)

    def _date(self, index: int) -> int | None:
        date = read_date(self.tokens, index, self.this_year)
        if date is None:
            return None
        if self._is_birth(date) or (not date.is_time and self._is_called_birth(date.end)):
            self._add(index, date.end, BIRTH)
        elif self._was_heard("card") and (date.is_short or (date.year is not None and not date.is_full)):
            self._add(index, date.end, CARD)
        return date.end

    def _is_called_birth(self, end: int) -> bool:
        """Whether "is my date of birth" or the like follows."""
        words = tuple(word_at(self.tokens, end + place) for place in range(5))
        return words[:2] == ("is", "my") and (words[2] in _BIRTH_WORDS or words[2:] == ("date", "of", "birth"))

    def _is_birth(self, date: SpokenDate) -> bool:
        if date.year is None:
            return self._was_heard("birth", _BIRTH_WITHOUT_YEAR) and not date.is_time
        if date.year > self.this_year:
            return False
        return self._was_heard("birth") or (date.is_full and date.year <= self.this_year - FAR_PAST_YEARS)

    def _number(self, index: int) -> int | None:
        run = read_run(self.tokens, index)
        if run is None:
            return None
        if word_at(self.tokens, index - 1) in _CURRENCY:
            return run.first_amount_end
        marker = BIRTH if run.digits and self._is_called_birth(run.end) else self._marker(run)
        if marker:
            self._add(index, run.end, marker)
        return run.end

    def _marker(self, run: Run) -> str | None:
        length = len(run.digits)
        if self._is_card(run.digits):
            return CARD
        if run.is_international:
            return PHONE
        if length >= _CARD_FROM:
            return CARD if self._was_heard("card") else NUMBER
        if run.is_plain and not run.is_amount:
            return self._by_topic(length) or self._by_shape(run)
        return self._by_shape(run)

    def _by_topic(self, length: int) -> str | None:
        for topic in sorted(self.heard, key=lambda topic: -self.heard[topic]):
            if self._was_heard(topic) and _SHORTEST[topic] <= length <= _LONGEST.get(topic, length):
                return _MARKERS[topic]
        return None

    def _by_shape(self, run: Run) -> str | None:
        length = run.counted
        if run.is_social:
            return SSN
        if not length >= _PHONE_FROM or run.is_amount or run.is_list:
            return None
        if len(run.digits) > _PHONE_TO:
            return NUMBER
        return SSN if len(run.digits) == _SSN_LENGTH and self._was_heard("ssn") else PHONE

    def _is_card(self, digits: str) -> bool:
        """Whether it begins with a valid card number; date of expiry and security code may follow."""
        lengths = range(min(len(digits), _CARD_TO), _CARD_FROM - 1, -1)
        return digits.strip("0") != "" and any(luhn.is_valid(digits[:length]) for length in lengths)

    def _add(self, first: int, end: int, marker: str) -> None:
        # "oh" begins a number only if one follows.
        first -= word_at(self.tokens, first - 1) in {"oh", "o"} and self.tokens[first].is_word
        self.found.append(Span(self.tokens[first].start, self.tokens[end - 1].end, marker))
