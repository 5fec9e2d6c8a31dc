"""How much of an ordinary hour the cache answers, and what it spares Supabase.

Run inside a stack: `node supabase/local/main.mjs --ephemeral -- .venv/bin/python -m tests.performance.replay`. The
hour of `traffic.py` goes through the real program and the real database twice, without the cache and with it; only the
clock is moved, so that it takes minutes. Exits with 1 where the hit rate misses the aim.
"""

import argparse
import itertools
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg
import time_machine
from psycopg.rows import dict_row

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory, mint_token
from tests.performance import traffic
from voxanne import create_app, database
from voxanne.cache import Cache, cache
from voxanne.services import call_type_detector, contacts, org_settings, phone_mappings, pricing

AIM, LEAST = 95.0, 70.0
_numbers = itertools.count(7_000_000)

PAGES: dict[str, tuple[str, ...]] = {
    "poll pulse": ("/api/analytics/dashboard-pulse",),
    "poll activity": ("/api/analytics/recent-activity",),
    "poll leads": ("/api/analytics/leads",),
    "calls page": ("/api/calls-dashboard", "/api/calls-dashboard/analytics/summary"),
    "leads page": ("/api/contacts/stats",),
    "team page": ("/api/team/members", "/api/team/roles"),
    "services page": ("/api/services",),
    "agent page": ("/api/founder-console/settings", "/api/founder-console/agent/config"),
    "escalation page": ("/api/agents",),
}
"""What each step asks for."""


@dataclass
class Clinic:
    """A clinic with its people, its number, and what they change."""

    people: list[Caller]
    agent: Caller
    number: str
    phone_id: str
    service: str
    tags: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def owner(self) -> Caller:
        return self.people[0]


def open_clinic(factory: Factory) -> Clinic:
    org_id = factory.org()
    people = [long_session(factory.member(org_id, role)) for role in ("owner", "manager", "agent")][: traffic.USERS]
    clinic = Clinic(
        people, factory.member(org_id, "agent"), f"+1415{next(_numbers)}", str(uuid.uuid4()), factory.service(org_id)
    )
    for status in ("hot", "warm", "cold"):
        factory.insert(
            "public.contacts", org_id=org_id, name="Anna", phone=f"+1415{next(_numbers)}", lead_status=status
        )
    for _ in range(20):
        factory.call(org_id)
    owner = clinic.owner
    mapping = {"inbound_phone_number": clinic.number, "vapi_phone_number_id": clinic.phone_id}
    done(owner.post("/api/inbound/phone-mappings", mapping))
    done(owner.post("/api/founder-console/settings", {"vapi_api_key": f"key-of-{org_id}"}))
    done(owner.post("/api/founder-console/agent/behavior", {"inbound": {"systemPrompt": "Be kind."}}))
    return clinic


def long_session(caller: Caller) -> Caller:
    settings, hours = caller.app.config["SETTINGS"], 24 * 3600
    caller.token = mint_token(settings, user_id=caller.user_id, org_id=caller.org_id, exp=int(time.time()) + hours)
    return caller


def done(reply: Any) -> None:
    assert reply.status_code < 400, (reply.request.path, reply.json)


def call_webhook(factory: Factory, clinic: Clinic, step: str) -> None:
    """Look up what a webhook of the provider needs: whose number, the secret's settings, direction, and prices.

    A report is of a new caller: a call more and a contact more, so the numbers that people see change.
    """
    with factory.app.app_context():
        org_id = phone_mappings.organization_for(clinic.phone_id)
        assert org_id == clinic.owner.org_id
        db = database.as_service()
        org_settings.load(db, org_id)
        if step != "call event":
            call_type_detector.detect(db, org_id, dialled=clinic.number)
        if step == "call report":
            pricing.price_list(db, org_id)
            with contacts.changing(org_id):
                phone = f"+1415{next(_numbers)}"
                factory.insert("public.contacts", org_id=org_id, name="Ben", phone=phone, lead_status="warm")
                factory.call(org_id, phone_number=phone, caller_name="Ben", duration_seconds=60)


def change(clinic: Clinic, step: str, at: float) -> None:
    owner = clinic.owner
    if step == "change price":
        done(owner.patch(f"/api/services/{clinic.service}", {"price": round(at)}))
    elif step == "change role":
        done(owner.patch(f"/api/team/members/{clinic.agent.user_id}/role", {"role": "manager"}))
    elif step == "change mapping":
        done(owner.post("/api/inbound/phone-mappings", {"inbound_phone_number": clinic.number, "clinic_name": "New"}))
    else:
        done(owner.post("/api/founder-console/agent/behavior", {"inbound": {"systemPrompt": "Be brief."}}))


def look(clinic: Clinic, person: int, path: str) -> None:
    """Ask as a browser does: with the tag of what this person has."""
    tag = clinic.tags.get((person, path))
    reply = clinic.people[person].request("GET", path, headers={"If-None-Match": tag} if tag else {})
    done(reply)
    if "ETag" in reply.headers:
        clinic.tags[person, path] = reply.headers["ETag"]


def take(factory: Factory, clinic: Clinic, event: traffic.Event) -> None:
    if event.step in PAGES:
        for path in PAGES[event.step]:
            look(clinic, event.person, path)
    elif event.step.startswith("call"):
        call_webhook(factory, clinic, event.step)
    else:
        change(clinic, event.step, event.at)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count every request to Supabase, those of early refreshes in other threads included."""
    counts: Counter[str] = Counter()
    send = database.ObservedTransport.handle_request

    def counting(self: Any, request: Any) -> Any:
        counts[request.url.path] += 1
        return send(self, request)

    with mock.patch.object(database.ObservedTransport, "handle_request", counting):
        yield counts


def replay(factory: Factory, clinics: list[Clinic], events: list[traffic.Event], title: str) -> int:
    """Let the hour pass; returns how many requests Supabase got."""
    bar = progress(title, len(events))
    with counted() as counts, time_machine.travel(time.time(), tick=False) as clock:
        start = time.time()
        for event in events:
            clock.move_to(start + event.at)
            take(factory, clinics[event.clinic], event)
            bar()
    print(file=sys.stderr)
    return counts.total()


def progress(title: str, total: int) -> Callable[[], None]:
    steps, shown = itertools.count(1), sys.stderr.isatty()
    every = max(1, total // (100 if shown else 10))

    def step() -> None:
        taken = next(steps)
        if taken % every == 0 or taken == total:
            filled = 30 * taken // total
            end = "" if shown else "\n"
            bar = f"{'#' * filled}{'-' * (30 - filled)} {100 * taken // total:3} % of {total}"
            print(f"{chr(13) if shown else ''}{title:16} {bar}", end=end, file=sys.stderr, flush=True)

    return step


def without_cache(_self: Cache, _region: Any, _key: str, loader: Callable[[], Any], *, refresh: bool = True) -> Any:
    return loader()


def report(stats: dict[str, Any], requests: int, plain: int, minutes: float) -> None:
    columns = "{:16}{:>9}{:>9}{:>8}{:>9}"
    print("\n" + columns.format("region", "reads", "hits", "loads", "hit rate"))
    rows = {**{name: one for name, one in stats["regions"].items() if one["hits"] + one["misses"]}, "all": stats}
    for name, one in rows.items():
        reads = one["hits"] + one["misses"]
        print(columns.format(name, reads, one["hits"], one["loads"], f"{one['hitRate']} %"))
    hourly = 60 / minutes
    reads, loads = stats["hits"] + stats["misses"], stats["loads"]
    print("\nSupabase requests an hour       without     with the cache")
    print(f"  for what is cached        {reads * hourly:11.0f}{loads * hourly:19.0f}")
    print(f"  all, with what is not     {plain * hourly:11.0f}{requests * hourly:19.0f}")
    print(f"Hit rate {stats['hitRate']} % (the aim is {AIM:.0f}, the least {LEAST:.0f}); back end: {stats['backend']}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Replay an ordinary hour with the cache and without.")
    parser.add_argument("--clinics", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--redis", action="store_true", help="cache on REDIS_URL")
    chosen = parser.parse_args()
    redis_url = os.environ["REDIS_URL"] if chosen.redis else None
    app = create_app(settings_for_tests(redis_url=redis_url, cache_key_prefix=f"replay-{uuid.uuid4().hex[:8]}"))
    events = traffic.hour(chosen.clinics, chosen.minutes, chosen.seed)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as sql:
        factory = Factory(sql, app, app.config["SETTINGS"])
        clinics = [open_clinic(factory) for _ in range(chosen.clinics)]
        with mock.patch.object(Cache, "load", without_cache):
            plain = replay(factory, clinics, events, "without cache")
        with app.app_context():
            before = cache.stats()
        requests = replay(factory, clinics, events, "with cache")
    with app.app_context():
        stats = difference(cache.stats(), before)
        cache.close()
    report(stats, requests, plain, chosen.minutes)
    return 0 if stats["hitRate"] >= AIM else 1


def difference(after: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What was counted in between: making the clinics has read a little, too."""
    counts = {name: after[name] - before[name] for name in ("hits", "misses", "loads")}
    reads = counts["hits"] + counts["misses"]
    found = {**after, **counts, "hitRate": round(100 * counts["hits"] / reads, 2) if reads else 0}
    if "regions" in after:
        found["regions"] = {name: difference(one, before["regions"][name]) for name, one in after["regions"].items()}
    return found


if __name__ == "__main__":
    sys.exit(main())
