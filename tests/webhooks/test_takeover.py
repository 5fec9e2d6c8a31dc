"""Under gunicorn: each process applies what is kept, also after the one before it was killed."""

import base64
import os
import secrets
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.factories import Factory
from tests.performance.server import Server, serving
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic
from voxanne.services.webhooks.deliveries import Delivery
from voxanne.services.webhooks.spool import SqliteSpool


def keep(spool: SqliteSpool, here: Clinic, call_id: str) -> None:
    spool.put(Delivery("vapi", here.org_id, events.report(here.call(call_id=call_id)), datetime.now(UTC)))


def applied(here: Clinic, count: int) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if len(here.rows("public.call_logs")) == count:
            return True
        time.sleep(0.1)
    return False


def worker(server: Server) -> psutil.Process:
    (found,) = psutil.Process(server.process.pid).children()
    return found


def test_the_next_process_takes_over(factory: Factory, tmp_path: Path) -> None:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    here, spool = clinic(factory), SqliteSpool(tmp_path / "spool", (key,), most_bytes=10**8)
    keep(spool, here, f"{here.call_id}-1")
    with serving(webhook_spool_dir=spool.folder, encryption_keys=key) as server:
        assert applied(here, 1), "by the process that found it there"
        dead = worker(server).pid
        # Holding the right to apply, the dead one would keep all others from it if it did not lose it by dying.
        os.kill(dead, signal.SIGSTOP)
        keep(spool, here, f"{here.call_id}-2")
        os.kill(dead, signal.SIGKILL)
        assert applied(here, 2), "by the one that came after"
        assert worker(server).pid != dead
        begun = time.monotonic()
        server.process.terminate()
        server.process.wait(30)
        assert time.monotonic() - begun < 20, "the thread keeps nobody from ending"
    assert spool.size().events == 0
