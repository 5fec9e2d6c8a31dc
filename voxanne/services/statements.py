"""Statements without their values.

pg_stat_statements takes constants out of what it records, but not out of comments, nor out of a statement that was
crowded out of its memory while it ran.
"""

import re

_PARTS = re.compile(
    r"""
    (?P<value>  [eE]'(?:\\.|''|[^'\\])*(?:'|\Z)
              | '(?:[^']|'')*(?:'|\Z)
              | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
              | \.?\d[\w.]* )
  | (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
  | (?P<name>   "(?:[^"]|"")*" | \$\d+ | [^\W\d][\w$]* )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANKS = re.compile(r"\s+")


def mask(statement: str) -> str:
    """Return the statement with a question mark for each value, without comments, on one line."""
    return _BLANKS.sub(" ", _PARTS.sub(_replace, statement)).strip()


def _replace(part: re.Match[str]) -> str:
    if part["name"] is not None:
        return part["name"]
    return " " if part["comment"] is not None else "?"
