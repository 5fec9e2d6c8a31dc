"""Calls come in as events while the database is stopped in the middle: is each there once, how fast, at what cost.

Run inside a stack: `make ingest` (N=10000 OUTAGE=10). Real gunicorn, one worker, whose events come over HTTP from
`SENDERS` connections: of each call its start and its report, in random order, some of them twice. What is not answered
with 200 is sent again, as the provider does. Exits with 1 if a call is missing, there twice, or not as reported.
"""

import argparse
import base64
import hashlib
import hmac
import os
import queue
import random
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from tqdm import tqdm

from tests.conftest import WEBHOOK_SECRET, settings_for_tests
from tests.factories import Factory
from tests.performance.server import serving
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic
from voxanne import create_app
from voxanne.queries import call_events
from voxanne.services.webhooks import handler
from voxanne.services.webhooks.deliveries import Delivery
from voxanne.services.webhooks.spool import SqliteSpool

SENDERS = 8
CLINICS = 10
TWICE_SHARE = 0.05
BARE_CALLS = 500
PAUSE_SECONDS = 0.5
DRAIN_SECONDS = 600


@dataclass
class Sent:
    """What the senders saw: for each event that was accepted, when, after how long, and what the reply said."""

    took: list[tuple[float, float, str]] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)


@dataclass
class Run:
    """What came of it; times are of `time.monotonic`."""

    sent: Sent
    begun: float
    stopped: float
    started: float
    ended: float
    emptied: float
    most_kept: int


def payloads(clinics: list[Clinic], calls: int, seed: int = 1) -> list[bytes]:
    """The events, mixed; each call keeps to one clinic and has a caller of its own."""
    made = []
    for number in range(calls):
        here = clinics[number % len(clinics)]
        kind = "outboundPhoneCall" if number % 4 == 3 else "inboundPhoneCall"
        customer = {"number": f"+1415{2_000_000 + number:07d}"}
        call = here.call(call_id=f"ingest-{here.org_id[:8]}-{number}", kind=kind, customer=customer)
        for event in (events.status_update("in-progress", call), events.report(call, seconds=30 + number % 600)):
            event["message"]["phoneNumber"] = {"number": here.number}
            made.append(orjson.dumps(event))
    chance = random.Random(seed)
    made += chance.sample(made, int(len(made) * TWICE_SHARE))
    chance.shuffle(made)
    return made


def send_all(url: str, bodies: list[bytes], sent: Sent, progress: Callable[[], object]) -> None:
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for body in bodies:
        waiting.put(body)

    def work(_number: int) -> None:
        with httpx.Client(timeout=30) as http:
            while True:
                try:
                    body = waiting.get_nowait()
                except queue.Empty:
                    return
                _send(http, f"{url}/api/vapi/webhook", body, sent)
                progress()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(work, range(SENDERS)))


def _send(http: httpx.Client, url: str, body: bytes, sent: Sent) -> None:
    while True:
        stamp = str(int(time.time()))
        signed = hmac.new(WEBHOOK_SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": signed, "X-Timestamp": stamp, "Content-Type": "application/json"}
        begun = time.monotonic()
        try:
            reply = http.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            sent.refusals[type(error).__name__] += 1
        else:
            now = time.monotonic()
            if reply.status_code == 200:
                sent.took.append((now, now - begun, reply.json()["outcome"]))
                return
            sent.refusals[str(reply.status_code)] += 1
            if reply.status_code < 429:
                raise RuntimeError(f"refused for good: {reply.status_code} {reply.text[:200]}")
        time.sleep(PAUSE_SECONDS)


@contextmanager
def program(folder: Path) -> Iterator[tuple[str, SqliteSpool]]:
    """Serve as in production, with one worker; yields its address and its spool."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    settings = {
        "vapi_webhook_secret": WEBHOOK_SECRET,
        "webhook_spool_dir": folder,
        "webhook_rate_limit_per_minute": 10**9,
        "encryption_keys": key,
        "log_level": "ERROR",
        "web_concurrency": 1,
    }
    with serving(**settings) as server:
        yield server.url, SqliteSpool(folder, (key,), most_bytes=2**30)


def ingest(url: str, spool: SqliteSpool, bodies: list[bytes], door: str, outage: float) -> Run:
    """Send the events; when four in ten are through, stop Postgres for that long. Returns when the spool is empty."""
    sent, most_kept = Sent(), 0
    marks: dict[str, float] = {}
    quarter = threading.Event()
    with tqdm(total=len(bodies), unit="event", desc="Sending", file=sys.stderr) as bar:

        def progress() -> None:
            bar.update()
            if bar.n >= len(bodies) * 0.4:
                quarter.set()

        def interrupt() -> None:
            quarter.wait()
            marks["stopped"] = time.monotonic()
            _control(door, "stop")
            time.sleep(outage)
            _control(door, "start")
            marks["started"] = time.monotonic()

        interruption = threading.Thread(target=interrupt)
        interruption.start()
        begun = time.monotonic()
        send_all(url, bodies, sent, progress)
        ended = time.monotonic()
        interruption.join()
    deadline = time.monotonic() + DRAIN_SECONDS
    most_kept = kept = spool.size().events
    with tqdm(total=kept, unit="event", desc="Applying what was kept", file=sys.stderr) as bar:
        while kept and time.monotonic() < deadline:
            time.sleep(0.2)
            kept = spool.size().events
            bar.update(most_kept - kept - bar.n)
    return Run(sent, begun, marks["stopped"], marks["started"], ended, time.monotonic(), most_kept)


def _control(door: str, action: str) -> None:
    httpx.post(f"{door}/__control/{action}/postgres", timeout=60).raise_for_status()


def faults(sql: psycopg.Connection[Any], clinics: list[Clinic], calls: int) -> list[str]:
    """What is not as it should be in the database, in words; empty if all is well."""
    orgs = [here.org_id for here in clinics]
    feed = "(select * from public.calls_feed where org_id = any(%(orgs)s)) as call"
    expected = {
        "calls": (f"select count(*) from {feed}", calls),
        "different calls": (f"select count(distinct vapi_call_id) from {feed}", calls),
        "inbound calls": (f"select count(*) from {feed} where call_type = 'inbound'", calls - calls // 4),
        "calls as reported": (
            f"""select count(*) from {feed} where status = 'completed' and jsonb_array_length(transcript) = 4
            and contact_id is not null and duration_seconds = 30 + split_part(vapi_call_id, '-', 3)::int %% 600""",
            calls,
        ),
        "contacts": ("select count(*) from public.contacts where org_id = any(%(orgs)s)", calls),
        "alerts": ("select count(*) from public.hot_lead_alerts where org_id = any(%(orgs)s)", calls),
        "notifications": ("select count(*) from public.notifications where org_id = any(%(orgs)s)", calls),
        "entries of the ledger": (
            "select count(*) from public.processed_webhook_events where org_id = any(%(orgs)s)", 2 * calls,
        ),
        "completed deliveries": (
            "select count(*) from public.webhook_delivery_log where org_id = any(%(orgs)s) and status = 'completed'",
            2 * calls,
        ),
        "dead letters": ("select count(*) from public.webhook_dead_letters where org_id = any(%(orgs)s)", 0),
        "drift of the rollups": (
            "select count(*) from unnest(%(orgs)s::uuid[]) as org, public.call_rollup_drift(org)", 0,
        ),
    }  # fmt: skip
    found = []
    for name, (query, wanted) in expected.items():
        row = sql.execute(query, {"orgs": orgs}).fetchone()
        assert row
        (count,) = row.values()
        print(f"  {name + ':':<24}{count:>8}  expected {wanted:>8}")
        if count != wanted:
            found.append(f"{name}: {count} instead of {wanted}")
    return found


def bare(sql: psycopg.Connection[Any], factory: Factory, calls: int) -> dict[str, list[float]]:
    """How long the database function takes for a report, asked straight and through PostgREST, one after the other."""
    settings = factory.settings
    times: dict[str, list[float]] = {"direct SQL": [], "PostgREST alone": []}
    with httpx.Client(headers=_service_headers(settings), timeout=30) as http:
        for name, seconds in times.items():
            for org_id, event in captured([clinic(factory)], calls, factory):
                begun = time.perf_counter()
                if name == "direct SQL":
                    sql.execute("select public.apply_call_event(%s, %s)", [org_id, Jsonb(event)])
                else:
                    body = {"p_org_id": org_id, "p_event": event}
                    url = f"{settings.supabase_base}/rest/v1/rpc/apply_call_event"
                    http.post(url, json=body).raise_for_status()
                seconds.append(time.perf_counter() - begun)
    return times


def _service_headers(settings: Any) -> dict[str, str]:
    key = settings.supabase_service_role_key.get_secret_value()
    return {"apikey": key, "Authorization": f"Bearer {key}"}


def captured(clinics: list[Clinic], calls: int, factory: Factory) -> Iterator[tuple[str, Any]]:
    """What the handler hands to the database for the reports of these calls."""
    found: list[tuple[str, Any]] = []

    def keep(_db: object, org_id: str, event: Any) -> Any:
        found.append((org_id, event))
        return {"duplicate": False, "message_id": None}

    really, call_events.apply = call_events.apply, keep
    try:
        with factory.app.app_context():
            for body in payloads(clinics, calls):
                payload = orjson.loads(body)
                if payload["message"]["type"] == "end-of-call-report":
                    handler.apply(Delivery("vapi", clinics[0].org_id, payload, events.STARTED))
    finally:
        call_events.apply = really
    return iter({event["event_id"]: (org_id, event) for org_id, event in found}.values())


def show(run: Run) -> None:
    phases = {
        "before the outage": (run.begun, run.stopped),
        "during the outage": (run.stopped, run.started),
        "after it, spool being emptied": (run.started, run.ended),
        "in all": (run.begun, run.ended),
    }
    print(f"\n{'':<30}{'seconds':>8}{'events':>8}{'per second':>12}{'p50 ms':>8}{'p95 ms':>8}{'slowest':>9}  outcomes")
    for name, (begin, end) in phases.items():
        took = [(seconds, outcome) for at, seconds, outcome in run.sent.took if begin <= at <= end]
        if took:
            outcomes = ", ".join(f"{count} {word}" for word, count in sorted(Counter(o for _, o in took).items()))
            line = f"{name:<30}{end - begin:>8.1f}{len(took):>8}{len(took) / (end - begin):>12.1f}"
            print(f"{line}{summary([seconds for seconds, _ in took])}  {outcomes}")
    refusals = ", ".join(f"{count} x {what}" for what, count in run.sent.refusals.items()) or "none"
    print(f"answered with anything but 200, and sent again: {refusals}")
    print(f"still kept when all had been sent: {run.most_kept}, applied {run.emptied - run.ended:.1f} s later")


def summary(seconds: list[float]) -> str:
    ms = sorted(1000 * one for one in seconds)
    p95 = statistics.quantiles(ms, n=20)[-1] if len(ms) > 1 else ms[0]
    return f"{statistics.median(ms):>8.1f}{p95:>8.1f}{ms[-1]:>9.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--outage", type=float, default=10.0, help="seconds")
    options = parser.parse_args()
    settings = settings_for_tests()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as sql:
        factory = Factory(sql, create_app(settings), settings)
        clinics = [clinic(factory) for _ in range(CLINICS)]
        for here in clinics:
            factory.service(here.org_id, name="Facelift", price=8000, keywords=["facelift"])
        print(
            f"{options.calls} calls, start and report of each, {TWICE_SHARE:.0%} of the events twice, {SENDERS} senders"
        )
        times = bare(sql, factory, min(BARE_CALLS, options.calls))
    bodies = payloads(clinics, options.calls)
    with tempfile.TemporaryDirectory() as folder, program(Path(folder) / "spool") as (url, spool):
        run = ingest(url, spool, bodies, settings.supabase_base, options.outage)
        left = spool.size().events
    show(run)
    print("\nthe database function for a report, bare:")
    for name, seconds in times.items():
        print(f"{name:<38}{len(seconds):>8}{1 / statistics.mean(seconds):>12.1f}{summary(seconds)}")
    print()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as sql:
        found = faults(sql, clinics, options.calls)
    if left:
        found.append(f"{left} events are still kept")
    print("; ".join(found) or "all calls are there, each once")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
