"""Dates and times as they are written and said, so far as it takes to tell a date of birth from an appointment."""

from dataclasses import dataclass

from voxanne.services.phi_redaction.spoken_numbers import TEENS, TENS, UNITS, element_at, tens_at
from voxanne.services.phi_redaction.tokens import Token, touching, word_at

_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTHS = {*_NAMES, *(name[:3] for name in _NAMES), "sept"}
_ORDINALS = {
    word: day
    for day, word in enumerate(
        (
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
            "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
            "twentieth",
        ),
        1,
    )
} | {"thirtieth": 30}  # fmt: skip
_SUFFIXES = {"st", "nd", "rd", "th"}
_LAST_DAY, _LAST_MONTH, _CENTURY = 31, 12, 100
_SHORT, _LONG, _PARTS, _LARGEST_UNIT = 2, 4, 3, 9
_FIRST_YEAR, _YEARS_AHEAD, _SHORT_YEARS_AHEAD = 1890, 10, 5
_SIGNS = {"/", "-", "."}


@dataclass(frozen=True)
class SpokenDate:
    """A date or a time of day, up to token `end`.

    `is_full` says that it has day, month and year, `is_short` that it is written in two parts, as 12/27.
    """

    end: int
    year: int | None
    is_full: bool
    is_short: bool = False
    is_time: bool = False


def read_date(tokens: list[Token], index: int, this_year: int) -> SpokenDate | None:
    """Return the date that begins at a token, or None."""
    token = tokens[index]
    if token.is_digits:
        found = _time(tokens, index) or _numeric(tokens, index, this_year)
        if found:
            return found
    if token.word in MONTHS:
        return _month_first(tokens, index, this_year)
    return _day_first(tokens, index, this_year)


def _time(tokens: list[Token], index: int) -> SpokenDate | None:
    end = index
    while (
        end - index < _LONG and word_at(tokens, end + 1) == ":" and end + 2 < len(tokens) and tokens[end + 2].is_digits
    ):
        end += 2
    return SpokenDate(end + 1, None, is_full=False, is_time=True) if end > index else None


def _numeric(tokens: list[Token], index: int, this_year: int) -> SpokenDate | None:
    """Read 3/14/1982, 14.3.82 or 1982-03-14; two parts (12/27) are a day, or the expiry date of a card."""
    sign = word_at(tokens, index + 1)
    parts, end = [tokens[index].digits], index
    while sign in _SIGNS and len(parts) < _PARTS and _attached(tokens, end, sign):
        end += 2
        parts.append(tokens[end].digits)
    if (
        len(parts) == _SHORT
        and sign == "/"
        and all(len(part) in {1, 2, 4} for part in parts)
        and not _attached(tokens, end, sign)
    ):
        return SpokenDate(end + 1, None, is_full=False, is_short=True)
    if len(parts) < _PARTS or _attached(tokens, end, sign):
        return None
    if len(parts[0]) == _LONG:
        parts = [*parts[1:], parts[0]]
    first, second, year = (int(part) if len(part) in {1, 2, 4} else 0 for part in parts)
    plausible = 1 <= min(first, second) <= _LAST_MONTH and max(first, second) <= _LAST_DAY and len(parts[2]) in {2, 4}
    return SpokenDate(end + 1, _full_year(year, parts[2], this_year), is_full=True) if plausible else None


def _attached(tokens: list[Token], end: int, sign: str) -> bool:
    return (
        end + 2 < len(tokens)
        and tokens[end + 1].text == sign
        and tokens[end + 2].is_digits
        and touching(tokens, end + 1)
        and touching(tokens, end + 2)
    )


def _month_first(tokens: list[Token], index: int, this_year: int) -> SpokenDate | None:
    after = index + 1
    if word_at(tokens, after) == "." or word_at(tokens, after) == "the":
        after += 1
    day_end = _day(tokens, after)
    if day_end is None:
        year, end = _year(tokens, after + (word_at(tokens, after) in {"of", ","}), this_year, short=False)
        return SpokenDate(end, year, is_full=False) if year is not None else None
    return _with_year(tokens, day_end, this_year)


def _day_first(tokens: list[Token], index: int, this_year: int) -> SpokenDate | None:
    day_end = _day(tokens, index)
    if day_end is None:
        return None
    month = day_end + (word_at(tokens, day_end) in {"of", "-", "/"})
    if word_at(tokens, month) not in MONTHS:
        return None
    return _with_year(tokens, month + 1, this_year)


def _with_year(tokens: list[Token], end: int, this_year: int) -> SpokenDate:
    after = end
    while after - end < _SHORT and word_at(tokens, after) in {",", "of", "in", "-", "/", ".", "'", "\u2019"}:
        after += 1
    year, year_end = _year(tokens, after, this_year, short=True)
    return SpokenDate(end, None, is_full=False) if year is None else SpokenDate(year_end, year, is_full=True)


def _day(tokens: list[Token], index: int) -> int | None:
    """Return where a day of the month ends that begins here, or None."""
    word = word_at(tokens, index)
    if word in _ORDINALS:
        return index + 1
    if word in {"twenty", "thirty"}:
        unit = index + 1 + (word_at(tokens, index + 1) == "-")
        if _ORDINALS.get(word_at(tokens, unit), _LAST_MONTH) <= _LARGEST_UNIT:
            return unit + 1
    number = element_at(tokens, index)
    if number is None or len(number.digits) > _SHORT or not 1 <= int(number.digits) <= _LAST_DAY:
        return None
    return number.end + (word_at(tokens, number.end) in _SUFFIXES and touching(tokens, number.end))


def _year(tokens: list[Token], index: int, this_year: int, *, short: bool) -> tuple[int | None, int]:
    """Return a year and where it ends: 1982, "nineteen eighty two", "two thousand and five"; `short` ones, too: 82."""
    if index >= len(tokens):
        return None, index
    if tokens[index].is_digits:
        return _year_in_digits(tokens, index, this_year, short=short)
    word = tokens[index].word
    if word == "two" and word_at(tokens, index + 1) == "thousand":
        end = index + 2 + (word_at(tokens, index + 2) == "and")
        rest = element_at(tokens, end)
        is_part = rest is not None and rest.spoken and len(rest.digits) <= _SHORT
        return (2000 + int(rest.digits), rest.end) if rest and is_part else (2000, index + 2)
    if word in {"nineteen", "twenty"}:
        century = TEENS.get(word) or TENS[word]
        return _rest_of_century(tokens, index + 1, century * _CENTURY)
    if short and TENS.get(word, 0) > _LAST_DAY:
        number = tens_at(tokens, index)
        return _full_year(int(number.digits), number.digits, this_year), number.end
    return None, index


def _year_in_digits(tokens: list[Token], index: int, this_year: int, *, short: bool) -> tuple[int | None, int]:
    token = tokens[index]
    is_time = word_at(tokens, index + 1) in {":", "am", "pm", "o'clock"}
    is_short = len(token.text) == _SHORT and short and not is_time and int(token.digits) > _LAST_DAY
    if len(token.text) != _LONG and not is_short:
        return None, index
    return _full_year(int(token.digits), token.digits, this_year), index + 1


def _rest_of_century(tokens: list[Token], index: int, century: int) -> tuple[int | None, int]:
    if word_at(tokens, index) in {"oh", "o", "hundred"}:
        unit = UNITS.get(word_at(tokens, index + 1))
        return (century + (unit or 0), index + 1 + (unit is not None))
    rest = element_at(tokens, index)
    if rest and len(rest.digits) == _SHORT:
        return century + int(rest.digits), rest.end
    return None, index


def _full_year(year: int, written: str, this_year: int) -> int | None:
    if len(written) == _LONG:
        return year if _FIRST_YEAR <= year <= this_year + _YEARS_AHEAD else None
    recent = this_year - this_year % _CENTURY + year
    return recent if recent <= this_year + _SHORT_YEARS_AHEAD else recent - _CENTURY
