"""Text from outside, in a form that the database takes."""

import re

CUT = "…"
_LONGEST_EMAIL = 320
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+")
# Postgres stores no NUL, and no half of a surrogate pair, which JSON allows.
_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str, longest: int) -> str:
    """Return the text without blanks around it and characters that can't be stored, cut with a mark if it is longer."""
    stripped = _IMPOSSIBLE.sub("", text).strip()
    return stripped if len(stripped) <= longest else stripped[: longest - len(CUT)].rstrip() + CUT


def is_email(text: str) -> bool:
    """Whether a text can be an e-mail address, and is short enough to be stored."""
    return len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None
