"""What a case of the walk consists of."""

from dataclasses import dataclass
from typing import Any

from tests.factories import Caller


@dataclass(frozen=True)
class Read:
    """A request whose answer the change alters; `cached` ones must cost nothing once they are warm."""

    caller: Caller
    path: str
    cached: bool = True


@dataclass(frozen=True)
class Change:
    """A changing request and the reads that it alters."""

    caller: Caller
    method: str
    path: str
    body: Any
    reads: tuple[Read, ...]
