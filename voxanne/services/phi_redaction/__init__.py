"""Redaction of protected health information: what identifies a patient is replaced by markers such as [NAME].

Redacted are names, phone numbers, e-mail addresses, dates of birth, card and social-security numbers, and other long
numbers (policy, record). They are recognised as they are written and as a voice says them: "four one five, double
five ...", "jane dot doe at gmail dot com", "born march third nineteen eighty two". Dates of appointments, prices and
procedures stay. A date counts as a date of birth after talk of birth, or if it is complete and three or more years ago.

Names are those that the caller of this module knows and those that somebody introduces ("my name is ...", "this is ...
speaking", "my daughter ...", "Mrs ...") or gives as the answer to the assistant's question; they are redacted wherever
they occur. The clinic's staff (doctors, nurses, the assistant) stay readable, since the clinic must see whom a caller
asks for. A name that nobody introduces, asks for or knows is not found, and neither are addresses of houses.

The rules are our own, since no library fits. scrubadub (2.0.1) brings scikit-learn, scipy and nltk, 269 MB; of seven
sentences it understood the one with a written number and a written address, and neither names, nor a card, nor anything
spoken. presidio-analyzer needs spaCy and a model to be downloaded. libphonenumber's matcher reads written numbers only;
dateparser takes "may" and "at 2" for dates, and of "march third nineteen eighty two" only "march"; text2num leaves "oh"
and "double five" as they are. python-stdnum computes the check digit of cards.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from voxanne.services.phi_redaction import answers, emails, people
from voxanne.services.phi_redaction.numbers import NumberFinder
from voxanne.services.phi_redaction.tokens import Span, Token, replace, tokenize

Turns = Sequence[tuple[str, str]]
"""A conversation: speaker ("agent" or "caller") and text of each turn."""


def redact(text: str, *, names: Iterable[str] = ()) -> str:
    """Return the text with markers; `names` are known names in full. Never raises; redacting twice changes nothing."""
    return redact_turns([("", text)], names=names)[0]


def redact_turns(turns: Turns, *, names: Iterable[str] = ()) -> list[str]:
    """Return the texts of a conversation with markers.

    Earlier turns count: "1982" after "Your date of birth?" is redacted, and so is a number that is said in pieces.
    """
    texts = [_apply(text, emails.find) for _, text in turns]
    parts = people.name_parts([*names, *_said([speaker for speaker, _ in turns], texts)])
    numbers = NumberFinder()
    without_names = (_apply(text, lambda tokens: people.find(tokens, parts)) for text in texts)
    return [_apply(text, numbers.find) for text in without_names]


def introduced_name(turns: Turns) -> str | None:
    """Return the name by which the caller first introduces themself, capitalised, or None."""
    for speaker, text in turns:
        if speaker == "caller" and (found := people.own_name(tokenize(text))):
            return found.title()
    return None


def is_name(text: str) -> bool:
    """Whether a text can be somebody's name, and is none of the words that stand in for one ("Unknown")."""
    return bool(people.name_parts([text]))


def _said(speakers: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """Return the names that are introduced, and those that answer the question of the turn before."""
    asked = False
    for speaker, text in zip(speakers, texts, strict=True):
        tokens, by_assistant = tokenize(text), speaker == "agent"
        yield from people.introduced(tokens, by_assistant=by_assistant)
        if asked and not by_assistant:
            yield from answers.answered(tokens)
        asked = by_assistant and answers.asks_for_name(tokens)


def _apply(text: str, find: Callable[[list[Token]], list[Span]]) -> str:
    return replace(text, find(tokenize(text)))
