"""Runs of digits as they are said or written: "four one five, double five", "4 1 5 - 5 5 5", "nineteen eighty two"."""

from dataclasses import dataclass

from voxanne.services.phi_redaction.tokens import Token, touching, word_at

UNITS = {
    word: value
    for value, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
}
TEENS = {
    word: value
    for value, word in enumerate(
        ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
        10,
    )
}
TENS = {
    word: value * 10
    for value, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)
}
_WORDS = {word: str(value) for word, value in {**UNITS, **TEENS}.items()}
_ZEROS = {"oh", "o", "nought", "null"}
_MAGNITUDES = {"hundred": "00", "thousand": "000"}
_REPEATED = {"double": 2, "triple": 3, "treble": 3}
_BETWEEN = {
    "-",
    ".",
    ",",
    "(",
    ")",
    "+",
    "\u2013",
    "\u2014",
    "\u2011",
    "…",
    "·",
    "/",
    "uh",
    "um",
    "er",
    "erm",
    "dash",
    "hyphen",
    "then",
}
_MOST_BETWEEN = 3
_ORDINALS = {"st", "nd", "rd", "th"}
_CLOCK = {"am", "pm", "a.m", "p.m", "o'clock"}
_MEASURES = {
    "dollars", "dollar", "bucks", "pounds", "euros", "euro", "cents", "percent", "%", "$", "€", "£", "units", "unit",
    "cc", "ccs", "ml", "mg", "minutes", "minute", "hours", "hour", "days", "day", "weeks", "week", "months", "month",
    "years", "year", "syringes", "syringe", "sessions", "session", "grafts", "vials", "people", "times", "kilos", "lbs",
    "inches", "usd", "grand",
}  # fmt: skip
_FULL_LENGTH, _SHORTEST_INTERNATIONAL, _LONGEST_INTERNATIONAL = 10, 6, 15
_LAST_DAY, _SOCIAL = 31, (3, 2, 4)
_YEARS = range(1900, 2100)
_THOUSANDS, _CENTS, _YEAR, _DAY = 3, 2, 4, 2


@dataclass(frozen=True)
class Element:
    """One number of a run, in digits or as a word, from token `start` up to `end`."""

    start: int
    end: int
    digits: str
    magnitude: bool = False
    spoken: bool = False


@dataclass(frozen=True)
class Run:
    """A run of digits up to token `end`, and what its shape says about it."""

    end: int
    first_amount_end: int
    digits: str = ""
    counted: int = 0  # how many digits, without the zeros of "hundred" and "thousand"
    is_international: bool = False
    is_amount: bool = False  # "1,250,000", "four thousand five hundred dollars"
    is_list: bool = False  # "9, 10, 11", "2019, 2020"
    is_social: bool = False  # three, two and four digits
    is_plain: bool = False  # followed by neither a unit of measure nor an hour


def element_at(tokens: list[Token], index: int, *, inside: bool = False) -> Element | None:
    """Return the number that begins at a token; "oh" is a zero only `inside` a run."""
    if index >= len(tokens):
        return None
    token, word = tokens[index], tokens[index].word
    digits = token.digits if token.is_digits else _WORDS.get(word)
    if digits is None and inside:
        digits = "0" if word in _ZEROS else _MAGNITUDES.get(word)
    if digits is not None:
        return Element(index, index + 1, digits, magnitude=word in _MAGNITUDES, spoken=not token.is_digits)
    if word in TENS:
        return tens_at(tokens, index)
    repeated = (
        element_at(tokens, index + 1, inside=True) if word in _REPEATED and not _repeats(tokens, index + 1) else None
    )
    if repeated and len(repeated.digits) == 1:
        return Element(index, index + 2, repeated.digits * _REPEATED[word], spoken=True)
    return None


def _repeats(tokens: list[Token], index: int) -> bool:
    return word_at(tokens, index) in _REPEATED


def read_run(tokens: list[Token], index: int) -> Run | None:
    """Return the run of digits that begins at a token, "+" and "(" included; None if there is none."""
    first = index
    while first < len(tokens) and tokens[first].text in "+(" and first - index < _MOST_BETWEEN:
        first += 1
    plus = any(token.text == "+" for token in tokens[index:first]) or word_at(tokens, index - 1) == "plus"
    elements: list[Element] = []
    place = first
    while element := element_at(tokens, place, inside=bool(elements)):
        elements.append(element)
        place = _after_separators(tokens, element.end)
    if elements and (word_at(tokens, elements[-1].end) in _ORDINALS and touching(tokens, elements[-1].end)):
        # The last number is a date ("the 24th").
        return _run(tokens, elements[:-1], plus=plus) if len(elements) > 1 else Run(elements[0].end, elements[0].end)
    return _run(tokens, elements, plus=plus) if elements else None


def _run(tokens: list[Token], elements: list[Element], *, plus: bool) -> Run:
    plain = not _is_measured(tokens, elements[-1].end)
    digits = "".join(element.digits for element in elements)
    if not plain and len(elements) > 1 and len(digits) - len(elements[-1].digits) >= _FULL_LENGTH:
        # A phone number right before an amount: the unit belongs to the last number only.
        elements, plain = elements[:-1], True
        digits = "".join(element.digits for element in elements)
    counted = sum(len(element.digits) for element in elements if not element.magnitude)
    return Run(
        end=elements[-1].end,
        first_amount_end=_first_amount_end(tokens, elements),
        digits=digits,
        counted=counted,
        is_international=plus and _SHORTEST_INTERNATIONAL <= len(digits) <= _LONGEST_INTERNATIONAL,
        is_amount=_is_amount(tokens, elements) or (not plain and counted < _FULL_LENGTH),
        is_list=_is_list(tokens, elements),
        is_social=tuple(len(element.digits) for element in elements) == _SOCIAL,
        is_plain=plain,
    )


def tens_at(tokens: list[Token], index: int) -> Element:
    """Return "eighty" or "eighty two", which begins at a token."""
    value = TENS[tokens[index].word]
    unit = index + 2 if word_at(tokens, index + 1) == "-" else index + 1
    if UNITS.get(word_at(tokens, unit), 0):
        return Element(index, unit + 1, str(value + UNITS[word_at(tokens, unit)]), spoken=True)
    return Element(index, index + 1, str(value), spoken=True)


def _after_separators(tokens: list[Token], index: int) -> int:
    end = index
    while end < min(len(tokens), index + _MOST_BETWEEN) and tokens[end].word in _BETWEEN:
        end += 1
    return end


def _is_measured(tokens: list[Token], index: int) -> bool:
    word = word_at(tokens, index)
    if word in _MEASURES or word in _CLOCK or word == ":":
        return True
    return word in {"a", "p"} and word_at(tokens, index + 1) == "." and word_at(tokens, index + 2) == "m"


def _is_amount(tokens: list[Token], elements: list[Element]) -> bool:
    """Whether it is written as 1,250,000 or 12,500.00: digits in threes, with commas and without spaces."""
    if len(elements) == 1 or any(element.spoken for element in elements):
        return False
    return len(elements[0].digits) <= _THOUSANDS and _first_amount_end(tokens, elements) == elements[-1].end


def _first_amount_end(tokens: list[Token], elements: list[Element]) -> int:
    """Return where the amount ends that a run begins with, as in "$1,200 415 555 2671"."""
    end = elements[0].end
    for element in elements[1:]:
        attached = element.start == end + 1 and touching(tokens, end) and touching(tokens, element.start)
        sign = tokens[end].text
        groups = (sign == "," and len(element.digits) == _THOUSANDS) or (sign == "." and len(element.digits) == _CENTS)
        if not ((attached and groups) or (element.magnitude and elements[0].spoken)):
            break
        end = element.end
    return end


def _is_list(tokens: list[Token], elements: list[Element]) -> bool:
    """Whether these are years, or hours or days with commas between them, some of one digit and some of two."""
    if all(len(element.digits) == _YEAR and int(element.digits) in _YEARS for element in elements):
        return True
    commas = sum(token.text == "," for token in tokens[elements[0].start : elements[-1].end])
    if commas < len(elements) - 1:
        return False
    numbers = [element.digits for element in elements]
    return (
        all(len(number) <= _DAY and int(number) <= _LAST_DAY for number in numbers) and len(set(map(len, numbers))) > 1
    )
