"""Text from outside, such as Postgres can store it."""

import re

CUT = "…"
# Postgres stores no NUL, and no half of a surrogate pair, which JSON allows.
_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str, longest: int) -> str:
    """Return the text without what can't be stored or blanks around it; a marker says that a longer one was cut."""
    stripped = _IMPOSSIBLE.sub("", text).strip()
    return stripped if len(stripped) <= longest else stripped[: longest - len(CUT)].rstrip() + CUT
