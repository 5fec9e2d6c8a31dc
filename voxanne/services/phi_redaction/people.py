"""Names of people: those that are known, and those that somebody introduces in speech ("my name is …")."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from voxanne.services.phi_redaction.dates import MONTHS, read_date
from voxanne.services.phi_redaction.spoken_numbers import TEENS, TENS, UNITS
from voxanne.services.phi_redaction.tokens import NAME, Span, Token, touching, word_at

# After these a name follows, whether or not it is written with a capital.
_SURE_CUES = (
    ("name", "is"), ("name's",), ("names", "is"), ("name", "was"), ("name", "it's"), ("name", "its"), ("name", "of"),
    ("surname", "is"),
)  # fmt: skip
# After these a name may follow: only one with a capital counts.
_POSSIBLE_CUES = (
    ("this", "is"), ("i'm",), ("i", "am"), ("it's",), ("it", "is"), ("is", "this"), ("call", "me"),
    ("speaking", "with"), ("speaking", "to"), ("speak", "with"), ("it", "under"), ("me", "down", "as"), ("go", "by"),
    ("ask", "for"), ("asked", "for"), ("patient", "is"), ("you've", "got"), ("thanks",), ("thank", "you"), ("hi",),
    ("hello",), ("name", ":"),
)  # fmt: skip
# With these people name themselves.
_OWN_NAME_CUES = {("this", "is"), ("i'm",), ("i", "am"), ("name", "is"), ("name's",), ("it's",), ("it", "is")}
_RELATIVES = {
    "daughter", "son", "husband", "wife", "mother", "father", "mom", "mum", "dad", "sister", "brother", "partner",
    "friend", "fiancé", "fiancée", "fiance", "grandmother", "grandfather", "aunt", "uncle", "child", "boyfriend",
    "girlfriend", "cousin", "niece", "nephew", "spouse", "roommate", "neighbor", "neighbour", "colleague", "coworker",
    "stepson", "stepdaughter",
}  # fmt: skip
_TITLES = {"mr", "mrs", "ms", "miss", "mx", "mister", "misses", "missus"}
_STAFF = {"dr", "doctor", "nurse", "professor", "prof"}
_PARTICLES = {
    "de", "la", "le", "van", "von", "der", "den", "bin", "ibn", "al", "el", "del", "da", "di", "dos", "du", "st", "ter",
    "mac",
}  # fmt: skip
_CALLING = {"speaking", "calling", "here", "again"}
_CALLING_HERE = {"speaking", "here"}
# Words that follow "I'm" or "this is" without being anybody's name.
_NOT_NAMES = {
    "a", "about", "actually", "again", "all", "also", "alright", "am", "an", "and", "any", "anybody", "anyone", "are",
    "as", "asking", "at", "available", "back", "bad", "because", "been", "before", "being", "booked", "but", "busy",
    "by", "calling", "can", "concerned", "correct", "could", "curious", "currently", "definitely", "do", "doing",
    "don't", "done", "excited", "fine", "for", "free", "from", "getting", "glad", "going", "good", "gonna", "great",
    "had", "happy", "has", "have", "having", "he", "her", "here", "hi", "hello", "his", "hoping", "how", "i", "i'd",
    "i'll", "i'm", "i've", "if", "in", "interested", "is", "it", "it's", "its", "just", "kind", "late", "like",
    "looking", "maybe", "me", "my", "name", "nervous", "new", "no", "nobody", "none", "not", "now", "of", "off", "oh",
    "ok", "okay", "on", "one", "only", "or", "our", "out", "over", "perfect", "please", "pregnant", "pretty",
    "probably", "ready", "really", "right", "scared", "she", "should", "sick", "so", "some", "someone", "sorry",
    "speaking", "still", "sure", "surprised", "than", "thank", "thanks", "that", "that's", "the", "their", "them",
    "then", "there", "they", "thinking", "this", "thrilled", "time", "to", "today", "together", "tomorrow", "too",
    "trying", "uh", "um", "under", "unhappy", "unknown", "unsure", "up", "us", "very", "waiting", "was", "we", "well",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "wondering", "would", "wow", "yeah", "yes",
    "you", "your", "you're", "afraid", "angry", "anxious", "allergic", "located", "near", "monday", "tuesday",
    "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "october", "november", "december",
    "botox", "american", "spelled", "spelt", "spelling", "everyone", "everybody", "guys", "team", "folks", "madam",
    "ma'am", "sir", "dear", "spell", "let", "need", "want", "may", "does", "did", "correctly", "goodbye", "bye",
    "it'll", "ai", "urgent", "important", "amazing", "awesome", "wonderful", "exactly", "true", "unavailable", "open",
    "closed",
    "pardon", "excuse", "nothing", "hold", "wait", "hang", "never", "rather", "prefer", "private", "same", "nope",
    "hey", "cancel", "hmm", "huh", "every", "most", "absolutely", "certainly", "type", "siri", "alexa", "google",
    "christmas", "thanksgiving", "easter", "halloween", "ramadan", "english", "spanish", "french", "italian", "irish",
    "british", "scottish", "canadian", "mexican", "indian", "chinese", "japanese", "korean", "brazilian", "african",
    "asian", "hispanic", "latina", "latino", "european", "catholic", "muslim", "jewish", "hindu", "mormon", "medicare",
    "medicaid", "later", "second", "moment", "minute", "already", "whatever", "listen", "look", "stop", "go", "repeat",
    "chicago", "boston", "texas", "california",
    "first", "last", "number", "phone", "email", "date", "appointment", "double", "triple", *UNITS, *TEENS,
    *TENS,
}  # fmt: skip
_WORKPLACES = {
    "clinic", "dental", "medical", "aesthetics", "surgery", "center", "centre", "spa", "office", "hospital",
    "dentistry", "health", "assistant", "receptionist",
}  # fmt: skip
_ASSISTANTS = {"assistant", "receptionist", "ai"}
# Names that are ordinary words, too: they count only with a capital, or beside another part of the name.
_ALSO_WORDS = {
    "will", "may", "mark", "rose", "grace", "hope", "bill", "art", "summer", "april", "june", "august", "dawn", "faith",
    "joy", "young", "long", "white", "brown", "green", "black", "short", "small", "rich", "frank", "grant", "chase",
    "drew", "sue", "pat", "march", "miles", "gray", "grey", "bell", "hill", "wood", "woods", "stone", "price", "park",
    "banks", "best", "good", "day", "love", "little", "sharp", "wise", "ray", "jack", "lane", "rob", "max", "dean",
    "king", "cook", "baker", "hall", "marsh", "field", "page", "case", "cash", "sky", "sunny", "star", "ivy", "lily",
    "iris", "ruby", "pearl", "jade", "holly", "amber", "daisy", "violet", "wells", "west", "east", "north", "speaker",
    "penny", "dick", "do", "an", "to", "so", "in", "on", "see", "you", "he", "she", "no", "yes", "be", "my", "the",
    "call", "caller", "customer", "unknown",
}  # fmt: skip
# What systems store for want of a name.
_STAND_INS = {"unknown", "caller", "customer", "anonymous", "patient", "guest", "user", "client", "n/a", "lead", "test"}
_SHORTEST_PART, _MOST_PARTS, _SPELLED_FROM, _SPELLING_REACH, _CUE_REACH, _MOST_BETWEEN = 2, 4, 3, 15, 6, 2
_LONGEST_NAME = 40


def name_parts(names: Iterable[str]) -> set[str]:
    """Return the parts of names in lower case, without titles, particles and words that only stand in for a name."""
    parts: set[str] = set()
    for name in names:
        words = [part.strip(".,'\u2019-").lower().replace("\u2019", "'") for part in name.replace("-", " ").split()]
        parts |= {word for word in words if word and word not in _STAND_INS | _TITLES | _STAFF}
    return parts - _PARTICLES


def introduced(tokens: list[Token], *, by_assistant: bool = False) -> list[str]:
    """Return the names that are introduced, as they were said, but not the assistant's own or those of doctors."""
    return [name for index in range(len(tokens)) for name in _introduction(tokens, index, by_assistant=by_assistant)]


def own_name(tokens: list[Token]) -> str | None:
    """Return the name by which the speaker introduces themself first, or None."""
    for index, token in enumerate(tokens):
        for cue in _OWN_NAME_CUES:
            if token.word != cue[0] or any(word_at(tokens, index + place) != part for place, part in enumerate(cue)):
                continue
            if cue in _SURE_CUES and word_at(tokens, index - 1) not in {"my", "full"}:
                continue
            for name in name_at(tokens, index + len(cue), sure_cue=cue in _SURE_CUES):
                return name
    return None


def find(tokens: list[Token], parts: set[str]) -> list[Span]:
    """Return where names stand that consist of these parts, and where a name is spelled letter by letter."""
    spans: list[Span] = []
    index = 0
    while index < len(tokens):
        end = _mention(tokens, index, parts) or _spelling(tokens, index, parts)
        if end:
            last = tokens[end - 1]
            owned = last.word.endswith("'s") and last.word not in parts
            spans.append(Span(tokens[index].start, last.end - 2 * owned, NAME))
        index = end or index + 1
    return spans


def _introduction(tokens: list[Token], index: int, *, by_assistant: bool) -> Iterator[str]:
    word = tokens[index].word
    if word.removesuffix("'s") in _TITLES:
        start = index + 1 + (word_at(tokens, index + 1) == ".")
        yield from name_at(tokens, start, sure_cue=False)
    if word in _CALLING_HERE and not by_assistant:
        yield from _before(tokens, index)
    if word in _RELATIVES or (word == "law" and word_at(tokens, index - 2) == "in"):
        start = index + 1 + (word_at(tokens, index + 1) == ",")
        yield from name_at(tokens, start, sure_cue=False)
    if word == "is" and _is_said_to_be_a_name(tokens, index):
        yield from name_at(tokens, _first_capital(tokens, index), sure_cue=False)
    for cue in _SURE_CUES + _POSSIBLE_CUES:
        if word != cue[0] or any(word_at(tokens, index + place) != part for place, part in enumerate(cue)):
            continue
        if by_assistant and cue in _OWN_NAME_CUES and not _is_about_the_caller(tokens, index):
            continue
        start = index + len(cue)
        start += word_at(tokens, start) in {",", ":"}
        yield from name_at(tokens, start, sure_cue=cue in _SURE_CUES)


def _first_capital(tokens: list[Token], index: int) -> int:
    start = index
    while start > 0 and index - start < _MOST_PARTS and tokens[start - 1].text[0].isupper():
        start -= 1
    return start


def _before(tokens: list[Token], index: int) -> Iterator[str]:
    """Return the name in "Jane Doe here, ..." and "Jane speaking.", a sentence of its own."""
    start, after = _first_capital(tokens, index), index + 1
    ends = after >= len(tokens) or not tokens[after].is_word or tokens[after].word in _CALLING
    if ends and start < index and (start == 0 or not tokens[start - 1].is_word):
        yield from (name for name in name_at(tokens, start, sure_cue=False) if len(name.split()) == index - start)


def _is_said_to_be_a_name(tokens: list[Token], index: int) -> bool:
    """Whether "is my name", "is my first name" or the like stands here."""
    words = [word_at(tokens, index + place) for place in (1, 2, 3)]
    return words[0] in {"my", "his", "her", "the"} and "name" in words[1:]


def _is_about_the_caller(tokens: list[Token], index: int) -> bool:
    """Whether "name is" is said of the caller: "so your name is Jane"."""
    return "your" in {token.word for token in tokens[max(0, index - 2) : index]}


def name_at(tokens: list[Token], start: int, *, sure_cue: bool) -> Iterator[str]:
    """Return the name that begins there, if one does; after a sure cue it may be in small letters."""
    if word_at(tokens, start).rstrip(".") in _STAFF:
        return
    if word_at(tokens, start) in _TITLES:
        start += 1 + (word_at(tokens, start + 1) == ".")
    end = _end_of_name(tokens, start, sure_cue=sure_cue)
    if end == start:
        return
    words = [token.word.removesuffix("'s") for token in tokens[start:end] if token.is_word]
    if set(words) & _WORKPLACES or all(word in _PARTICLES for word in words):
        return
    cue = {token.word for token in tokens[end : end + _CUE_REACH]}
    if cue & _ASSISTANTS:
        return
    yield " ".join(words)
    if word_at(tokens, end) == ",":  # "Smith, Rebecca Smith"
        again = _end_of_name(tokens, end + 1, sure_cue=False)
        if again > end + 1 and tokens[again - 1].word == words[-1]:
            yield " ".join(token.word for token in tokens[end + 1 : again] if token.is_word)


def _end_of_name(tokens: list[Token], start: int, *, sure_cue: bool) -> int:
    """Return where a name ends: with a word that is not capitalised as the first one is, or that is no name."""
    if start >= len(tokens) or not tokens[start].is_word:
        return start
    capital = tokens[start].text[0].isupper()
    if not capital and not sure_cue and not _is_calling(tokens, start):
        return start
    end = parts = 0
    index = start
    while index < len(tokens) and parts < _MOST_PARTS:
        token = tokens[index]
        if (
            index > start
            and (token.text == "-" or (token.text == "." and len(tokens[index - 1].text) == 1))
            and touching(tokens, index)
        ):
            index += 1
            continue
        is_date = token.word in MONTHS and read_date(tokens, index, datetime.now(UTC).year) is not None
        fits = token.is_word and not is_date and (token.word in _PARTICLES or token.text[0].isupper() == capital)
        if not fits or token.word.removesuffix("'s") in _NOT_NAMES - (
            {"will", "may"} if token.text[0].isupper() else set()
        ):
            break
        parts += 1
        index += 1
        end = index
    return end or start


def _is_calling(tokens: list[Token], start: int) -> bool:
    """Whether "speaking" or the like follows after one or two words: "this is jane doe speaking"."""
    words = (word_at(tokens, start + 1), word_at(tokens, start + 2))
    return tokens[start].word not in _NOT_NAMES and (
        words[0] in _CALLING or (words[1] in _CALLING and words[0] not in _NOT_NAMES)
    )


def _mention(tokens: list[Token], index: int, parts: set[str]) -> int | None:
    """Return where a name ends that begins here; None if none does, or if it may be an ordinary word."""
    end, sure, place = index, False, index
    seen: set[str] = set()
    while place < min(len(tokens), index + _LONGEST_NAME):
        token = tokens[place]
        word = token.word if token.word in parts else token.word.removesuffix("'s")
        if word in parts:
            capital = token.text[0].isupper()
            seen.add(word)
            sure = (
                sure
                or len(seen) > 1
                or (
                    len(word) >= _SHORTEST_PART
                    and (word not in _ALSO_WORDS or (capital and not _is_month(tokens, place)))
                )
            )
            end = place = place + 1
        elif end > index and _joins(tokens, place) and place - end < _MOST_BETWEEN:
            place += 1
        else:
            break
    return end if sure else None


def _joins(tokens: list[Token], index: int) -> bool:
    """Whether a token may stand inside a name: the hyphen of Smith-Jones, the initial of John F. Smith."""
    token = tokens[index]
    if token.text == ".":
        return len(tokens[index - 1].text) == 1
    initial = len(token.text) == 1 and token.text.isupper() and word_at(tokens, index + 1) == "."
    return (token.text in "-'\u2019" and touching(tokens, index)) or token.word in _PARTICLES or initial


def _is_month(tokens: list[Token], index: int) -> bool:
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    named = tokens[index].word in {"may", "april", "june", "august", "march"}
    return named and (
        word_at(tokens, index - 1) in {"in", "of", "on", "by", "until", "next", "this"}
        or (after is not None and after.is_digits)
    )


def _spelling(tokens: list[Token], index: int, parts: set[str]) -> int | None:
    """Where single letters end that spell a name: "J-A-N-E", "d o e"."""
    letters, end, place = "", index, index
    while place < min(len(tokens), index + _LONGEST_NAME):
        token = tokens[place]
        if len(token.text) == 1 and token.is_word:
            letters += token.word
            end = place = place + 1
        elif letters and token.text in "-.," and place == end:
            place += 1
        else:
            break
    if len(letters) < _SPELLED_FROM - 1:
        return None
    before = {token.word for token in tokens[max(0, index - _SPELLING_REACH) : index]}
    asked = before & {"spell", "spelled", "spelling", "spelt", "spells"} and len(letters) >= _SPELLED_FROM
    return end if asked or letters in parts else None
