"""E-mail addresses as they are written (jane@gmail.com) and as they are said (jane dot doe at gmail dot com)."""

from voxanne.services.phi_redaction.tokens import EMAIL, Span, Token, touching, word_at

_DOTS = {".", "dot", "period", "point"}
_JOINTS = {*_DOTS, "underscore", "dash", "hyphen", "plus", "minus", "_", "-", "+", "%", "&"}
_ENDINGS = {
    "com", "org", "net", "edu", "gov", "co", "io", "me", "info", "biz", "us", "uk", "ca", "au", "de", "fr", "es", "it",
    "ie", "in", "nz", "health", "clinic", "example", "mail", "app", "dev", "ai", "eu", "nl", "ch", "at", "pro", "mx",
    "br",
}  # fmt: skip
# Where the part before "at" begins, when an address is said; a word of these alone before "at" is no address.
_OUTSIDE = {
    "is", "it", "its", "it's", "that's", "that", "this", "email", "mail", "mails", "address", "to", "me", "my", "at",
    "be", "on", "use", "the", "a", "and", "yes", "yeah", "sure", "okay", "ok", "so", "um", "uh", "you", "can", "reach",
    "send", "write", "us", "them", "him", "her", "here", "there", "more", "online", "out", "look", "visit", "find",
    "book", "page", "website", "site", "i", "located", "please", "with", "or", "for", "of", "by", "in", "i'm", "was",
    "will", "have", "well", "just", "then", "right",
}  # fmt: skip
# Nobody says their endings, and nobody is to be met there.
_PROVIDERS = {"gmail", "yahoo", "hotmail", "outlook", "icloud", "aol", "protonmail", "googlemail", "msn", "comcast"}
_LONGEST, _MOST_WORDS = 100, 12


def find(tokens: list[Token]) -> list[Span]:
    """Return where the addresses stand."""
    spans: list[Span] = []
    done = 0
    for index, token in enumerate(tokens):
        if token.text != "@" and token.word != "at":
            continue
        span = _written(tokens, index, done) if token.text == "@" and touching(tokens, index) else None
        span = span or _said(tokens, index, done)
        if span:
            first, last = span
            spans.append(Span(tokens[first].start, tokens[last].end, EMAIL))
            done = last + 1
    return spans


def _written(tokens: list[Token], sign: int, done: int) -> tuple[int, int] | None:
    first = sign
    while first > max(done, sign - _LONGEST) and touching(tokens, first) and _is_local(tokens[first - 1]):
        first -= 1
    last = sign
    while last + 1 < min(len(tokens), sign + _LONGEST) and touching(tokens, last + 1) and _is_domain(tokens[last + 1]):
        last += 1
    while last > sign and not (tokens[last].is_word or tokens[last].is_digits):
        last -= 1
    return (first, last) if first < sign < last else None


def _said(tokens: list[Token], sign: int, done: int) -> tuple[int, int] | None:
    domain = sign + 3 if (word_at(tokens, sign + 1), word_at(tokens, sign + 2)) == ("the", "rate") else sign + 1
    last = _domain_said(tokens, domain) or (domain if word_at(tokens, domain) in _PROVIDERS else None)
    first = _local_said(tokens, sign, done) if last else sign
    return (first, last) if last and first < sign else None


def _domain_said(tokens: list[Token], index: int) -> int | None:
    """Return the last token of "gmail dot com" and the like, of which the end must be a known one."""
    last, end = index, min(len(tokens), index + _LONGEST)
    found = None
    while last < end and (tokens[last].is_word or tokens[last].is_digits):
        while last + 1 < end and tokens[last + 1].is_digits:
            last += 1
        dot = last + 1
        if not _is_dot(tokens, dot) and word_at(tokens, dot) not in {"-", "dash", "hyphen"}:
            # Two words of one name, as in "bright smile dot com".
            if last == index and dot < end and tokens[dot].is_word and _is_dot(tokens, dot + 1):
                last = dot
                continue
            break
        if _is_dot(tokens, dot) and word_at(tokens, dot + 1) in _ENDINGS:
            found = dot + 1
        last = dot + 1
    return found


def _is_dot(tokens: list[Token], index: int) -> bool:
    # A full stop is followed by a space.
    if word_at(tokens, index) == ".":
        return touching(tokens, index) and touching(tokens, index + 1)
    return word_at(tokens, index) in _DOTS


def _local_said(tokens: list[Token], sign: int, done: int) -> int:
    first = sign
    while first > max(done, sign - _MOST_WORDS * 3):
        token = tokens[first - 1]
        is_part = token.is_word or token.is_digits
        spelled = len(token.text) == 1 and first > 1 and len(tokens[first - 2].text) == 1 and tokens[first - 2].is_word
        if not (is_part or token.word in _JOINTS) or (token.word in _OUTSIDE and not spelled):
            break
        if token.text == "." and not touching(tokens, first):
            break
        first -= 1
    while first < sign and tokens[first].word in _JOINTS and not tokens[first].is_word:
        first += 1
    return first


def _is_local(token: Token) -> bool:
    return not token.is_marker and (token.is_word or token.is_digits or token.text in "._%+-&'~/=!#$*?^`{|}")


def _is_domain(token: Token) -> bool:
    return not token.is_marker and (token.is_word or token.is_digits or token.text in ".-_")
