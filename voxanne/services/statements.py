"""SQL statements without the values in them.

pg_stat_statements replaces constants itself, but not those in comments, nor those of a statement whose entry it dropped
for lack of space while the statement ran.
"""

import re

_PARTS = re.compile(
    r"""
    (?P<value>  [eE]'(?:\\.|''|[^'\\])*(?:'|\Z)
              | '(?:[^']|'')*(?:'|\Z)
              | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
              | \.?\d[\w.]* )
  | (?P<comment> --[^\n\r]* ) | (?P<opened> /\* )
  | (?P<name>   "(?:[^"]|"")*" | \$\d+ | [^\W\d][\w$]* )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGES = re.compile(r"/\*|\*/")
_BLANKS = re.compile(r"\s+")


def mask(statement: str) -> str:
    """Return the statement with a question mark for each value, without comments, on one line."""
    kept: list[str] = []
    at = 0
    while part := _PARTS.search(statement, at):
        kept += statement[at : part.start()], _replacement(part)
        at = _comment_end(statement, part.end()) if part["opened"] else part.end()
    kept.append(statement[at:])
    return _BLANKS.sub(" ", "".join(kept)).strip()


def _replacement(part: re.Match[str]) -> str:
    if part["name"] is not None:
        return part["name"]
    return "?" if part["value"] is not None else " "


def _comment_end(statement: str, start: int) -> int:
    """Return where the comment that begins before `start` ends: Postgres lets them hold others."""
    depth = 1
    for edge in _COMMENT_EDGES.finditer(statement, start):
        depth += 1 if edge[0] == "/*" else -1
        if not depth:
            return edge.end()
    return len(statement)
