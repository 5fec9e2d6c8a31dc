"""Text as tokens: markers, words, numbers and signs. Reading them takes time in proportion to the text."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

NAME, PHONE, EMAIL = "[NAME]", "[PHONE]", "[EMAIL]"
BIRTH, CARD, SSN, NUMBER = "[DATE OF BIRTH]", "[CARD]", "[SSN]", "[NUMBER]"
MARKERS = (NAME, PHONE, EMAIL, BIRTH, CARD, SSN, NUMBER)

# No alternative can match where another one does and none repeats a group, so that nothing is read twice.
_TOKEN = re.compile(
    "|".join(map(re.escape, MARKERS)) + r"|[0-9]+|\d+|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|[^\w\s]|_",
)


class Token(NamedTuple):
    """A piece of text and where it stands; `word` is in lower case, with a plain apostrophe."""

    start: int
    end: int
    text: str
    word: str

    @property
    def is_marker(self) -> bool:
        """Whether it stands for something that was redacted before."""
        return self.text in MARKERS

    @property
    def is_digits(self) -> bool:
        """Whether these are digits, of any script."""
        return self.text.isdecimal()

    @property
    def is_word(self) -> bool:
        """Whether these are letters."""
        return self.text[:1].isalpha()

    @property
    def digits(self) -> str:
        """The digits as 0 to 9."""
        return "".join(str(unicodedata.decimal(char)) for char in self.text)


@dataclass(frozen=True)
class Span:
    """Characters to be replaced by a marker."""

    start: int
    end: int
    marker: str


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text; spaces are none."""
    return [
        Token(match.start(), match.end(), match.group(), match.group().lower().replace("\u2019", "'"))
        for match in _TOKEN.finditer(text)
    ]


def word_at(tokens: list[Token], index: int) -> str:
    """Return the word at a place, "" beyond either end."""
    return tokens[index].word if 0 <= index < len(tokens) else ""


def touching(tokens: list[Token], index: int) -> bool:
    """Whether a token follows the one before without a space."""
    return 0 < index < len(tokens) and tokens[index - 1].end == tokens[index].start


def replace(text: str, spans: Iterable[Span]) -> str:
    """Return the text with markers instead of the spans, which are in order and do not overlap."""
    pieces, done = [], 0
    for span in spans:
        pieces += [text[done : span.start], span.marker]
        done = span.end
    return "".join([*pieces, text[done:]])
