"""Processes of the program that die where they are told to: a parent that forks one for each line of JSON it reads.

A line is {"do": ["post" | "drain" | "texts", ...], "fault": [place, "before" | "after" | "during"] | null,
"away": bool, "body", "headers", "spool": folder, "twilio": address}. The answer is {"died": bool, "status", "outcome"},
the last two those of the post.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.conftest import be_patient, settings_for_tests
from voxanne import create_app
from voxanne.integrations import twilio
from voxanne.queries import call_events, outbox
from voxanne.services import call_reports, texts
from voxanne.services.webhooks import drainer, envelope, handler, live, signature, spool

DIED, NOWHERE = 9, "http://127.0.0.1:1"

# The steps of handling an event, each as the holder of a function and its name.
PLACES: dict[str, tuple[Any, str]] = {
    "claim": (signature, "claim"),
    "genuine": (live, "_genuine"),
    "process": (handler, "process"),
    "parse": (envelope, "parse"),
    "describe": (call_reports, "describe"),
    "apply": (call_events, "apply"),
    "acknowledge": (live, "_acknowledged"),
    "put": (spool.SqliteSpool, "put"),
    "take": (spool.SqliteSpool, "take"),
    "done": (spool.SqliteSpool, "done"),
    "claim texts": (outbox, "claim"),
    "send": (twilio.LiveTwilio, "send"),
    "finish": (outbox, "finish"),
}


def die() -> None:
    os._exit(DIED)


def arrange(place: str, where: str) -> None:
    """Let this process die there."""
    if (place, where) == ("put", "during"):
        spool.SqliteSpool._transaction = _unfinished(spool.SqliteSpool._transaction)
        return
    holder, name = PLACES[place]
    really = getattr(holder, name)
    setattr(holder, name, _deadly(really, where))


def _deadly(really: Callable[..., Any], where: str) -> Callable[..., Any]:
    def step(*args: Any, **kwargs: Any) -> Any:
        if where == "before":
            die()
        if where == "during":
            # Long enough for a request to be on its way, mostly too short for its answer.
            threading.Thread(target=lambda: (time.sleep(0.004), die())).start()
        result = really(*args, **kwargs)
        if where == "after":
            die()
        time.sleep(60 if where == "during" else 0)  # it is about to die
        return result

    return step


def _unfinished(really: Callable[..., Any]) -> Callable[..., Any]:
    @contextmanager
    def transaction(self: Any, **kwargs: Any) -> Any:
        with really(self, **kwargs) as db:
            yield db
            die()

    return transaction


def redirect_twilio(address: str) -> None:
    really = requests.request

    def request(method: str, url: str, **kwargs: Any) -> Any:
        return really(method, url.replace("https://api.twilio.com", address), **kwargs)

    twilio.requests.request = request


def work(order: dict[str, Any]) -> dict[str, Any]:
    away = {"supabase_url": NOWHERE} if order.get("away") else {}
    app = create_app(settings_for_tests(webhook_spool_dir=Path(order["spool"]), twilio_mode="live", **away))
    redirect_twilio(order["twilio"])
    if order.get("fault"):
        arrange(*order["fault"])
    told: dict[str, Any] = {}
    for task in order["do"]:
        if task == "post":
            headers = {**order["headers"], "Content-Type": "application/json"}
            reply = app.test_client().post("/api/vapi/webhook", data=order["body"], headers=headers)
            told["status"], told["outcome"] = reply.status_code, (reply.json or {}).get("outcome")
            continue
        with app.app_context():
            if task == "drain":
                kept_in = spool.of(app)
                assert kept_in is not None
                drainer.drain(kept_in)
            else:
                texts.send_due()
    return told


def main() -> None:
    be_patient()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        inlet, outlet = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(inlet)
            told = work(order)
            os.write(outlet, json.dumps(told).encode())
            os._exit(0)
        os.close(outlet)
        with os.fdopen(inlet) as pipe:
            told = json.loads(pipe.read() or "{}")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in {0, DIED}, status
        print(json.dumps({"died": status == DIED, **told}), flush=True)


if __name__ == "__main__":
    main()
