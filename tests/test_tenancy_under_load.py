"""Eight threads and four organisations at once: no reply may hold a row of another one, nor miss one of its own.

A client whose token is shared between threads fails here in two ways: row-level security judges by somebody
else's token, and so, since every query also names the caller's organisation, own rows go missing.
"""

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories import Caller, Factory

ROOT = Path(__file__).parent.parent
THREADS, ORGANISATIONS, READS = 8, 4, 1200
CALLS, SERVICES = "/api/calls-dashboard", "/api/services"

# Threads change places after a microsecond instead of five milliseconds, so that a race is not left to luck.
SWITCH_SECONDS = 1e-6
HASTY_START = f"import sys; sys.setswitchinterval({SWITCH_SECONDS})"

Get = Callable[[Caller, str], tuple[int, Any]]


@dataclass(frozen=True)
class Clinic:
    """An organisation whose every row says whose it is."""

    name: str
    callers: list[Caller]
    calls: list[str]
    services: set[str]


@pytest.fixture
def clinics(factory: Factory) -> list[Clinic]:
    made = []
    for number in range(ORGANISATIONS):
        name = f"Clinic {chr(ord('A') + number)}"
        org_id = factory.org(name=name)
        types = ["inbound", "outbound"] * (number + 2)  # each has another number of calls
        calls = [factory.call(org_id, call_type, caller_name=name) for call_type in types]
        services = {factory.service(org_id, name=f"{name} {extra}") for extra in range(number + 1)}
        members = [factory.member(org_id, role) for role in ("viewer", "owner")]
        made.append(Clinic(name, members, calls, services))
    return made


def read_list(get: Get, clinic: Clinic, caller: Caller) -> None:
    status, body = get(caller, f"{CALLS}?limit=100")
    assert (status, {call["id"] for call in body["calls"]}) == (200, set(clinic.calls))
    assert {call["caller_name"] for call in body["calls"]} == {clinic.name}
    assert body["pagination"]["total"] == len(clinic.calls)


def read_detail(get: Get, clinic: Clinic, caller: Caller) -> None:
    call_id = random.choice(clinic.calls)
    status, body = get(caller, f"{CALLS}/{call_id}")
    assert (status, body.get("id"), body.get("caller_name")) == (200, call_id, clinic.name)


def read_services(get: Get, clinic: Clinic, caller: Caller) -> None:
    status, body = get(caller, SERVICES)
    assert (status, {service["id"] for service in body["services"]}) == (200, clinic.services)
    assert {service["org_id"] for service in body["services"]} == {caller.org_id}


def read_summary(get: Get, clinic: Clinic, caller: Caller) -> None:
    assert get(caller, f"{CALLS}/analytics/summary")[1]["total_calls"] == len(clinic.calls)


READERS = [read_list, read_detail, read_services, read_summary]


def hammer(get: Get, clinics: list[Clinic]) -> None:
    """Ask as all of them at once; a reply with a wrong row, or without a right one, fails the test."""
    asked = list(itertools.product(clinics, READERS, range(2)))
    jobs = asked * (READS // len(asked))
    random.Random(0).shuffle(jobs)

    def foreign(clinic: Clinic, caller: Caller) -> None:
        other = random.choice([other for other in clinics if other is not clinic])
        assert get(caller, f"{CALLS}/{random.choice(other.calls)}")[0] == 404

    def one(job: tuple[Clinic, Callable[[Get, Clinic, Caller], None], int]) -> str:
        clinic, read, member = job
        try:
            read(get, clinic, clinic.callers[member])
            if read is read_services:
                foreign(clinic, clinic.callers[member])
        except AssertionError as error:
            return str(error).splitlines()[0]
        return ""

    with ThreadPoolExecutor(THREADS) as pool:
        wrong = [found for found in pool.map(one, jobs) if found]
    assert not wrong, f"{len(wrong)} of {len(jobs)} replies were wrong, for example: {wrong[:3]}"


@pytest.fixture
def hasty() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty")
def test_threads_of_one_program_do_not_mix_organisations(clinics: list[Clinic]) -> None:
    def get(caller: Caller, path: str) -> tuple[int, Any]:
        reply = caller.request("GET", path)
        return reply.status_code, reply.json

    hammer(get, clinics)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """gunicorn as it is started in production, with eight threads, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "APP_ENV": "development",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_THREADS": str(THREADS),
        "SUPABASE_TIMEOUT_SECONDS": "60",
        "REDIS_URL": "",
        "RATE_LIMIT_PER_ORG_HOUR": "1000000",
        "PYTHONPATH": f"{tmp_path}:{ROOT}",  # Python runs a sitecustomize.py before anything else
    }
    (tmp_path / "sitecustomize.py").write_text(HASTY_START)
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-c", str(ROOT / "voxanne" / "gunicorn.py")]
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"{url}/")
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(url, timeout=5).raise_for_status()
            return
        time.sleep(0.05)
    pytest.fail("gunicorn did not start")


def test_threads_of_the_server_do_not_mix_organisations(clinics: list[Clinic], server: str) -> None:
    with httpx.Client(base_url=server, timeout=120) as client:

        def get(caller: Caller, path: str) -> tuple[int, Any]:
            reply = client.get(path, headers={"Authorization": f"Bearer {caller.token}"})
            return reply.status_code, reply.json()

        hammer(get, clinics)
