"""Who uses the dashboard and how. Locust runs one of these classes at a time; see load/__main__.py.

The people and what they look at come from the file that LOAD_PEOPLE names; what was measured goes to LOAD_RESULT.
"""

import itertools
import json
import os
import random
from pathlib import Path
from typing import Any

import gevent
from locust import HttpUser, between, events, task
from locust.env import Environment
from locust.exception import StopUser

CALLS = "/api/calls-dashboard"
PAGES_EACH = 10
_people = itertools.cycle(json.loads(Path(os.environ["LOAD_PEOPLE"]).read_text()))


class Member(HttpUser):
    """Somebody of one of the clinics, signed in."""

    abstract = True

    def on_start(self) -> None:
        self.person = next(_people)
        self.client.headers["Authorization"] = f"Bearer {self.person['token']}"
        self.tags: dict[str, str] = {}
        self.seen: list[str] = []

    def look(self, path: str, name: str | None = None, **query: Any) -> Any:
        return self.client.get(path, params=query, name=name or path)

    def list_calls(self, name: str, **query: Any) -> Any:
        reply = self.look(CALLS, name, **query)
        if reply.ok:
            self.seen = [call["id"] for call in reply.json()["calls"]] or self.seen
        return reply

    def poll(self, path: str) -> None:
        """Ask for numbers as a browser does: with the tag of those it has."""
        headers = {"If-None-Match": self.tags[path]} if path in self.tags else {}
        with self.client.get(path, headers=headers, name=path, catch_response=True) as reply:
            if reply.status_code == 304:
                reply.success()
            elif reply.ok and "ETag" in reply.headers:
                self.tags[path] = reply.headers["ETag"]


class Paging(Member):
    """Reads ten pages of calls and leaves."""

    wait_time = between(0.2, 1.0)

    @task
    def read(self) -> None:
        page = getattr(self, "page", 0) + 1
        self.page = page
        self.list_calls(f"{CALLS}?page=n", page=page)
        if page == PAGES_EACH:
            raise StopUser


class Dashboard(Member):
    """An ordinary day: the home page polls, and now and then somebody looks something up."""

    wait_time = between(0.5, 2.0)

    @task(12)
    def home(self) -> None:
        """The home page polls two of its parts every 10 seconds and one every 30."""
        turn = getattr(self, "turn", 0)
        self.turn = turn + 1
        self.poll("/api/analytics/dashboard-pulse")
        self.poll("/api/analytics/recent-activity")
        if turn % 3 == 0:
            self.poll("/api/analytics/leads")

    @task(2)
    def stats(self) -> None:
        self.poll(f"{CALLS}/stats")

    @task(4)
    def leads(self) -> None:
        self.poll("/api/contacts/stats")

    @task(5)
    def calls(self) -> None:
        self.list_calls(f"{CALLS}?page=1")
        self.poll(f"{CALLS}/analytics/summary")

    @task(3)
    def detail(self) -> None:
        if self.seen:
            self.look(f"{CALLS}/{random.choice(self.seen)}", f"{CALLS}/<id>")

    @task(2)
    def narrow(self) -> None:
        self.list_calls(f"{CALLS}?filters", call_type="inbound", status="missed", date_filter="month")

    @task(2)
    def search(self) -> None:
        self.list_calls(f"{CALLS}?search=", search=random.choice(self.person["names"]))

    @task(2)
    def services(self) -> None:
        self.look("/api/services")

    @task(3)
    def agents(self) -> None:
        self.look("/api/agents")

    @task(1)
    def settings(self) -> None:
        self.look("/api/founder-console/settings")


class Morning(Dashboard):
    """Everybody comes in at once and opens everything before the day goes on."""

    def on_start(self) -> None:
        super().on_start()
        for opened in (self.home, self.leads, self.calls, self.services, self.agents, self.settings):
            opened()


@events.test_start.add_listener
def _stop_when_all_have_left(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    assert runner

    def watch() -> None:
        while runner.user_count or runner.state == "spawning":
            gevent.sleep(0.5)
        runner.quit()

    runner.greenlet.spawn(watch)


@events.quitting.add_listener
def _save(environment: Environment, **_: Any) -> None:
    def row(entry: Any) -> dict[str, Any]:
        at = entry.get_response_time_percentile
        return {
            "name": entry.name,
            "requests": entry.num_requests,
            "errors": entry.num_failures,
            "p50": at(0.5),
            "p95": at(0.95),
            "p99": at(0.99),
            "per_second": round(entry.total_rps, 1),
        }

    entries = [row(entry) for _, entry in sorted(environment.stats.entries.items())]
    errors = [
        f"{error.method} {error.name}: {error.error} ({error.occurrences})"
        for error in environment.stats.errors.values()
    ]
    result = {"total": row(environment.stats.total), "entries": entries, "errors": errors}
    Path(os.environ["LOAD_RESULT"]).write_text(json.dumps(result))
