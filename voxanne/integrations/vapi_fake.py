"""A stand-in for the voice provider: for development, where there is no account, and for tests.

It does what the provider would, without sending anything: the same ids come out for the same input, assistants that it
has not seen (those of the demo data, or from before a restart) are taken as known, and it remembers what it was asked,
but no keys.
"""

import copy
import threading
import uuid
from collections import deque
from datetime import datetime
from typing import Any

Json = dict[str, Any]

REMEMBERED = 1000
_NAMESPACE = uuid.UUID("5f0a8f4e-5f0c-4c8a-9d0e-0f3b9a1c7e52")
_SECRET_MEMBERS = {"twilioAuthToken", "server"}


class FakeVapi:
    """Has the methods of `VoiceProvider`; `calls` are the last ones asked, `fail` lets the next ones go wrong.

    Every call is still going on, but for `ended_calls`: provider's call objects by id.
    """

    def __init__(self) -> None:
        self.calls: deque[tuple[str, Json]] = deque(maxlen=REMEMBERED)
        self._assistants: dict[tuple[str, str], Json] = {}
        self._numbers: dict[str, dict[str, Json]] = {}
        self.ended_calls: dict[str, Json] = {}
        self._failures: deque[Exception] = deque()
        self._lock = threading.Lock()

    def fail(self, *errors: Exception) -> None:
        """Let the next calls raise these, one each."""
        self._failures.extend(errors)

    def get_assistant(self, key: str, assistant_id: str) -> Json:
        """Return what it knows of an assistant."""
        self._asked("get_assistant", {"id": assistant_id})
        return copy.deepcopy(self._assistants.get((_account(key), assistant_id), {"id": assistant_id}))

    def create_assistant(self, key: str, assistant: Json) -> Json:
        """Make an assistant; its id follows from its `metadata`, which says whose it is."""
        self._asked("create_assistant", assistant)
        return self._keep(key, _id("assistant", _account(key), sorted(assistant["metadata"].items())), assistant)

    def update_assistant(self, key: str, assistant_id: str, changes: Json) -> Json:
        """Replace members of an assistant."""
        self._asked("update_assistant", {"id": assistant_id, **changes})
        return self._keep(key, assistant_id, changes)

    def delete_assistant(self, key: str, assistant_id: str) -> None:
        """Forget an assistant."""
        self._asked("delete_assistant", {"id": assistant_id})
        with self._lock:
            self._assistants.pop((_account(key), assistant_id), None)

    def list_phone_numbers(self, key: str) -> list[Json]:
        """Return the numbers that were imported into that account."""
        self._asked("list_phone_numbers", {})
        return copy.deepcopy(list(self._numbers.get(_account(key), {}).values()))

    def import_phone_number(self, key: str, number: Json) -> Json:
        """Add a number to the account."""
        self._asked("import_phone_number", number)
        return self._keep_number(key, _id("number", _account(key), number["number"]), number)

    def update_phone_number(self, key: str, number_id: str, changes: Json) -> Json:
        """Replace members of a number."""
        self._asked("update_phone_number", {"id": number_id, **changes})
        return self._keep_number(key, number_id, changes)

    def get_call(self, key: str, call_id: str) -> Json:  # noqa: ARG002
        """Return a call."""
        self._asked("get_call", {"id": call_id})
        return copy.deepcopy(self.ended_calls.get(call_id, {"id": call_id, "status": "in-progress"}))

    def list_calls(self, key: str, *, since: datetime, until: datetime, limit: int) -> list[Json]:  # noqa: ARG002
        """Return the calls that have ended, the latest first."""
        self._asked("list_calls", {"since": since.isoformat(), "until": until.isoformat()})
        made = {name: datetime.fromisoformat(call["createdAt"]) for name, call in self.ended_calls.items()}
        found = sorted((name for name in made if since <= made[name] <= until), key=lambda name: made[name])
        return copy.deepcopy([self.ended_calls[name] for name in reversed(found)][:limit])

    def _asked(self, operation: str, content: Json) -> None:
        with self._lock:
            self.calls.append((operation, _without_secrets(content)))
            if self._failures:
                raise self._failures.popleft()

    def _keep(self, key: str, assistant_id: str, changes: Json) -> Json:
        with self._lock:
            known = self._assistants.get((_account(key), assistant_id), {"id": assistant_id})
            self._assistants[_account(key), assistant_id] = known = {**known, **_without_secrets(changes)}
            return copy.deepcopy(known)

    def _keep_number(self, key: str, number_id: str, changes: Json) -> Json:
        with self._lock:
            account = self._numbers.setdefault(_account(key), {})
            account[number_id] = known = {"id": number_id, **account.get(number_id, {}), **_without_secrets(changes)}
            return copy.deepcopy(known)


def _without_secrets(content: Json) -> Json:
    kept = {name: value for name, value in content.items() if name not in _SECRET_MEMBERS}
    if "server" in content:
        kept["server"] = {"url": content["server"]["url"]}
    return copy.deepcopy(kept)


def _account(key: str) -> str:
    return _id("account", key)


def _id(kind: str, *parts: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{parts}"))
