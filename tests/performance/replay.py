"""How much of an ordinary hour the cache answers, and what it spares Supabase.

Run inside a stack: `node supabase/local/main.mjs --ephemeral -- .venv/bin/python -m tests.performance.replay`. The
hour of `traffic.py` goes through the real program and the real database twice, without the cache and with it: people's
requests with their tokens, the voice provider's events signed. Only the clock is moved, so that it takes minutes. Exits
with 1 where the hit rate misses the aim.
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
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest import mock

import psycopg
import time_machine
from psycopg.rows import dict_row
from tqdm import tqdm

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory, mint_token
from tests.performance import traffic
from tests.services.webhooks import clinic, events
from voxanne import create_app, database
from voxanne.cache import Cache, cache
from voxanne.services.webhooks import tool_calls

AIM, LEAST = 95.0, 70.0
BAR = "{l_bar}{bar:30}| {n_fmt} of {total_fmt}"
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

STATES = {"call rings": "ringing", "call begins": "in-progress", "call ends": "ended"}
TOOLS = {"call asks": "check_availability", "call books": "book_appointment"}


@dataclass
class Clinic:
    """A clinic with its people, its number at the voice provider, the calls under way, and what they change."""

    people: list[Caller]
    agent: Caller
    provider: clinic.Clinic
    phone_id: str
    service: str
    known: list[str]
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    tags: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def owner(self) -> Caller:
        return self.people[0]


def open_clinic(factory: Factory) -> Clinic:
    provider = clinic.clinic(factory)
    org_id = provider.org_id
    people = [long_session(factory.member(org_id, role)) for role in ("owner", "manager", "agent")][: traffic.USERS]
    agent, service = factory.member(org_id, "agent"), factory.service(org_id)
    known = [f"+1415{next(_numbers)}" for _ in range(20)]
    opened = Clinic(people, agent, provider, str(uuid.uuid4()), service, known)
    for number, status in zip(known, itertools.cycle(("hot", "warm", "cold")), strict=False):
        factory.insert("public.contacts", org_id=org_id, name="Anna", phone=number, lead_status=status)
        factory.call(org_id, phone_number=number)
    owner = opened.owner
    mapping = {"inbound_phone_number": provider.number, "vapi_phone_number_id": opened.phone_id}
    done(owner.post("/api/inbound/phone-mappings", mapping))
    done(owner.post("/api/founder-console/settings", {"vapi_api_key": f"key-of-{org_id}"}))
    done(owner.post("/api/founder-console/agent/behavior", {"inbound": {"systemPrompt": "Be kind."}}))
    return opened


def long_session(caller: Caller) -> Caller:
    settings, hours = caller.app.config["SETTINGS"], 24 * 3600
    caller.token = mint_token(settings, user_id=caller.user_id, org_id=caller.org_id, exp=int(time.time()) + hours)
    return caller


def done(reply: Any) -> None:
    assert reply.status_code < 400, (reply.request.path, reply.json)


def call(here: Clinic, number: int, step: str) -> None:
    """Send the provider's event, signed, to the address that every assistant sends to; whatever is not right raises."""
    if step.startswith("call arrives"):
        known = step.endswith("known")
        caller = here.known[number % len(here.known)] if known else f"+1415{next(_numbers)}"
        here.calls[number] = here.provider.call(
            call_id=f"call-{uuid.uuid4()}",
            assistant=None,
            phoneNumberId=here.phone_id,
            customer={"number": caller},
            createdAt=now().isoformat(),
        )
        reply = send(here, events.assistant_request(here.calls[number]))
        here.calls[number]["assistantId"] = reply["assistantId"]
        return
    call_ = here.calls[number]
    if step in STATES:
        reason = {"endedReason": "customer-ended-call"} if step == "call ends" else {}
        reply = send(here, events.status_update(STATES[step], call_, **reason))
        assert reply["outcome"] == "applied", reply
    elif step in TOOLS:
        day = (now() + timedelta(days=1 + number % 14)).date().isoformat()
        arguments = {"date": day, "time": "10:00", "service": "Botox", "name": "Ben Miller"}
        reply = send(here, events.tool_calls((f"tool-{uuid.uuid4()}", TOOLS[step], arguments), call_=call_))
        assert reply["results"][0]["result"] not in {tool_calls.AWAY, tool_calls.BROKEN, tool_calls.UNKNOWN}, reply
    else:
        times = {"startedAt": call_["createdAt"], "endedAt": now().isoformat()}
        reply = send(here, events.report(call_, **times))
        assert reply["outcome"] == "applied", reply


def send(here: Clinic, event: dict[str, Any]) -> dict[str, Any]:
    event["message"]["timestamp"] = int(now().timestamp() * 1000)
    reply = here.provider.send(event)
    done(reply)
    return cast(dict[str, Any], reply.json)


def now() -> datetime:
    return datetime.now(UTC)


def change(here: Clinic, step: str, at: float) -> None:
    owner = here.owner
    if step == "change price":
        done(owner.patch(f"/api/services/{here.service}", {"price": round(at)}))
    elif step == "change role":
        done(owner.patch(f"/api/team/members/{here.agent.user_id}/role", {"role": "manager"}))
    elif step == "change mapping":
        mapping = {"inbound_phone_number": here.provider.number, "clinic_name": "New"}
        done(owner.post("/api/inbound/phone-mappings", mapping))
    else:
        done(owner.post("/api/founder-console/agent/behavior", {"inbound": {"systemPrompt": "Be brief."}}))


def look(here: Clinic, person: int, path: str) -> None:
    """Ask as a browser does: with the tag of what this person has."""
    tag = here.tags.get((person, path))
    reply = here.people[person].request("GET", path, headers={"If-None-Match": tag} if tag else {})
    done(reply)
    if "ETag" in reply.headers:
        here.tags[person, path] = reply.headers["ETag"]


def take(here: Clinic, event: traffic.Event) -> None:
    if event.step in PAGES:
        for path in PAGES[event.step]:
            look(here, event.person, path)
    elif event.step.startswith("call"):
        call(here, event.person, event.step)
    else:
        change(here, event.step, event.at)


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


def replay(clinics: list[Clinic], hour: list[traffic.Event], title: str) -> int:
    """Let the hour pass; returns how many requests Supabase got."""
    # the bar shows no times: its clock is moved, too
    options = {"miniters": max(1, len(hour) // 100), "mininterval": 0, "maxinterval": 1e9, "bar_format": BAR}
    with counted() as counts, time_machine.travel(time.time(), tick=False) as clock:
        start = time.time()
        for event in tqdm(hour, title, file=sys.stderr, **options):
            clock.move_to(start + event.at)
            cache.engine.upkeep.look()  # as a thread does every second; it does not know that this clock has jumped
            take(clinics[event.clinic], event)
            # what an event starts in the background takes milliseconds, and the next is seconds away
            cache.engine.wait_for_refreshes()
    return counts.total()


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
    parser.add_argument("--calls", type=float, default=traffic.CALLS_PER_HOUR, help="of a clinic, in an hour")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--redis", action="store_true", help="cache on REDIS_URL")
    chosen = parser.parse_args()
    redis_url = os.environ["REDIS_URL"] if chosen.redis else None
    app = create_app(settings_for_tests(redis_url=redis_url, cache_key_prefix=f"replay-{uuid.uuid4().hex[:8]}"))
    hour = traffic.hour(chosen.clinics, chosen.minutes, chosen.calls, chosen.seed)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as sql:
        factory = Factory(sql, app, app.config["SETTINGS"])
        clinics = [open_clinic(factory) for _ in range(chosen.clinics)]
        with mock.patch.object(Cache, "load", without_cache):
            plain = replay(clinics, hour, "without cache")
        with app.app_context():
            before = cache.stats()
        requests = replay(clinics, hour, "with cache")
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
