"""Names that answer a question: "May I have your name?" - "Samantha Brooks."."""

from collections.abc import Iterator

from voxanne.services.phi_redaction.people import name_at
from voxanne.services.phi_redaction.tokens import Token, word_at

_REACH, _MOST_FILLERS = 20, 10
_OTHER_NAMES = {"of", "for", "is"}
_FILLERS = {
    "sure", "yes", "yeah", "yep", "ok", "okay", "um", "uh", "oh", "of", "course", "it's", "it", "is", "that's", "so",
    "well", "hi", "hello", "my", "first", "last", "full", "name", "certainly", "absolutely", "thanks", "i'm", "this",
    "mr", "mrs", "ms", "miss", ",", ".", "!", "-", "…",
}  # fmt: skip
# What may go on after a name; any other word there makes it a sentence.
_AFTER = {
    "and", "but", "here", "speaking", "calling", "that's", "with", "my", "i", "i'm", "it's", "is", "spelled", "spelt",
    "please", "thanks",
}  # fmt: skip


def asks_for_name(tokens: list[Token]) -> bool:
    """Whether somebody asks who is calling, or what somebody is called."""
    words = [token.word for token in tokens[-_REACH:] if token.is_word]
    for place, word in enumerate(words):
        after = words[place + 1 : place + 3]
        if word in {"name", "names"} and not (after and after[0] in _OTHER_NAMES):
            return True
        if word in {"who", "whom"} and {"speaking", "calling", "this", "am", "do"} & set(after):
            return True
    return False


def answered(tokens: list[Token]) -> Iterator[str]:
    """Return the name with which a turn answers, nothing if it begins with none."""
    start = 0
    while start < _MOST_FILLERS and word_at(tokens, start) in _FILLERS:
        start += 1
    for name in name_at(tokens, start, sure_cue=False):
        end = start + sum(1 for _ in _parts(tokens, start, name))
        if end >= len(tokens) or not tokens[end].is_word or tokens[end].word in _AFTER:
            yield name


def _parts(tokens: list[Token], start: int, name: str) -> Iterator[Token]:
    left = len(name.split())
    for token in tokens[start:]:
        if not left:
            return
        left -= token.is_word
        yield token
