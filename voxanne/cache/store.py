"""What the two stores, in process and on Redis, have in common."""

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from voxanne.cache.regions import Region

# ticket, refresh_at, expires_at, value; a list because that is what JSON gives back
Entry = list[Any]


class Turn(Enum):
    """Who loads a missing value."""

    MINE = "mine"  # nobody else does: load and store
    OTHERS = "others"  # another process is at it
    BUSY = "busy"  # a change is under way: load, but store nothing
    OUT = "out"  # the store cannot be reached: load, and store nothing


class Reading(NamedTuple):
    """An entry that is valid now, if there is one, and the key's present ticket (None: the store is out)."""

    ticket: str | None
    entry: Entry | None


class Claim(NamedTuple):
    """The leave to load a value: what was found, the ticket to store it under, and the token of the lock."""

    turn: Turn
    ticket: str | None = None
    entry: Entry | None = None
    token: str = ""


def valid(entry: Any, ticket: str) -> Entry | None:
    """Return the entry, if it is one and was stored under that ticket."""
    return entry if type(entry) is list and entry and entry[0] == ticket else None


class Store(Protocol):
    """Keeps entries by (region, key); an entry counts only while its ticket is its organisation's present ticket."""

    name: str

    def read(self, region: Region, key: str) -> Reading:
        """Return the valid entry and the present ticket, in at most one round trip."""

    def claim(self, region: Region, key: str) -> Claim:
        """Ask for the turn to load."""

    def put(self, region: Region, key: str, claim: Claim, entry: Entry, keep_for: float) -> None:
        """Store an entry unless the claim's ticket has been replaced meanwhile; ends the claim."""

    def release(self, region: Region, key: str, claim: Claim) -> None:
        """End a claim without storing."""

    def begin_change(self, keys: Sequence[tuple[Region, str]], token: str) -> str:
        """Replace the tickets and mark the keys busy, before a write; return what `end_change` takes as `begun`."""

    def end_change(self, keys: Sequence[tuple[Region, str]], token: str, *, settle: float, begun: str = "") -> str:
        """Replace the tickets again and take the mark away, or leave it for `settle` seconds.

        Return the new ticket of them all, or "" if another change of any of these keys has begun or ended since
        `begun`. One that is under way still is marked, so that `put` under this ticket stores nothing.
        """

    def count(self) -> int:
        """Return how many live values it holds."""

    def answers(self) -> bool:
        """Return whether it can be reached now."""

    def close(self) -> None:
        """Let go of threads and connections."""
