"""What identifies a patient in a transcript or a summary, replaced by markers such as [NAME] and [PHONE].

Covered: names, phone numbers, e-mail addresses, dates of birth, card and social-security numbers, and other long rows
of figures (policy or record numbers), all as they are written and as a voice says them ("four one five, double five …",
"jane dot doe at gmail dot com", "born march third nineteen eighty two"). Appointments, prices and procedures stay: a
date is a date of birth where birth is spoken of, or when it names a year three or more years ago in full.

Names are those given, those introduced in speech ("my name is …", "this is … speaking", "my daughter …", "Mrs …") and
those with which a caller answers the assistant's question, in all places where they occur. Doctors and nurses, the
clinic and the assistant stay readable: they are staff, and the clinic must see whom a caller wants. A name that nobody
introduces or asks for and that is not given stays, too, and so do addresses of houses.

The rules are our own as no library fits. scrubadub (2.0.1) brings scikit-learn, scipy and nltk, 269 MB; of seven
sentences it understood the one with a written number and a written address, and neither names, nor a card, nor anything
spoken. presidio-analyzer needs spaCy and a model to be downloaded. libphonenumber's matcher reads written numbers only;
dateparser takes "may" and "at 2" for dates, and of "march third nineteen eighty two" only "march"; text2num leaves "oh"
and "double five" as they are. From python-stdnum comes the check digit of cards.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from voxanne.services import phi_answers, phi_emails, phi_names
from voxanne.services.phi_figures import Walk
from voxanne.services.phi_tokens import Span, Token, replace, tokenize

Turns = Sequence[tuple[str, str]]


def redact(text: str, *, names: Iterable[str] = ()) -> str:
    """Return the text with markers; `names` are those known, in full. Never raises; twice is the same as once."""
    return _redact([("", text)], names)[0]


def redact_turns(turns: Turns, *, names: Iterable[str] = ()) -> list[str]:
    """Redact a conversation of (speaker, text), "agent" or "caller"; returns the texts.

    What was asked before counts: "1982" after "Your date of birth?" is one, as is a number said in pieces.
    """
    return _redact(turns, names)


def introduced_name(turns: Turns) -> str | None:
    """Return the name by which the caller first introduces themself, in capitals, or None."""
    for speaker, text in turns:
        if speaker == "caller" and (found := phi_names.own_name(tokenize(text))):
            return found.title()
    return None


def _redact(turns: Turns, names: Iterable[str]) -> list[str]:
    texts = [_apply(text, phi_emails.find) for _, text in turns]
    parts = phi_names.known([*names, *_said([speaker for speaker, _ in turns], texts)])
    walk = Walk()
    return [_apply(_apply(text, lambda tokens: phi_names.find(tokens, parts)), walk.find) for text in texts]


def _said(speakers: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """Return the names that are introduced, or answer the question before."""
    asked = False
    for speaker, text in zip(speakers, texts, strict=True):
        tokens, by_assistant = tokenize(text), speaker == "agent"
        yield from phi_names.introduced(tokens, by_assistant=by_assistant)
        if asked and not by_assistant:
            yield from phi_answers.answered(tokens)
        asked = by_assistant and phi_answers.asks_for_name(tokens)


def _apply(text: str, find: Callable[[list[Token]], list[Span]]) -> str:
    return replace(text, find(tokenize(text)))


def is_name(text: str) -> bool:
    """Whether a text can be somebody's name, and is none of the words that stand in for one ("Unknown")."""
    return bool(phi_names.known([text]))
