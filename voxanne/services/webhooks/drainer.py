"""What goes on beside the requests: applying events out of the spool once the database is back, and sending texts."""

import atexit
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from flask import Flask

from voxanne.errors import NotFound, is_unavailable
from voxanne.services import sms_status, texts
from voxanne.services.webhooks import handler, spool
from voxanne.services.webhooks.deliveries import Delivery, Outcome
from voxanne.services.webhooks.envelope import KNOWN
from voxanne.services.webhooks.spool import SqliteSpool
from voxanne.signals import text_queued, webhook_event

logger = logging.getLogger(__name__)

EXTENSION = "voxanne.drainer"
LOOK_SECONDS = 1.0
TEXTS_SECONDS = 15.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 20.0
MOST_ATTEMPTS = 25
"""After so many, an event that alone finds the database away, as one that always takes too long, is a dead letter."""


def drain(
    kept_in: SqliteSpool,
    *,
    enough: Callable[[], bool] = lambda: False,
    seen: Callable[[Outcome | None], None] = lambda _: None,
) -> Counter[Outcome | None] | None:
    """Apply what is in the spool until it is empty or there is `enough`; needs an application context.

    Returns how many had which outcome, None being those that no key opens: they stay. The result is None if another
    thread is at it. `seen` is told of each. Raises what says that the database is away; nothing is lost then.
    """
    with kept_in.draining() as mine:
        if not mine:
            return None
        outcomes: Counter[Outcome | None] = Counter()
        unreadable = None
        while not enough() and (kept := kept_in.take(after=unreadable)):
            outcome = None
            if kept.delivery is None:
                unreadable = kept
            else:
                try:
                    outcome = _deliver(kept.delivery)
                except Exception:
                    kept_in.fail(kept)
                    raise
                kept_in.done(kept)
            outcomes[outcome] += 1
            seen(outcome)
        return outcomes


def _deliver(delivery: Delivery) -> Outcome:
    started, outcome = time.perf_counter(), Outcome.FAILED
    try:
        outcome = _process(delivery)
    except Exception as error:
        if not is_unavailable(error):
            _tell(delivery, outcome, started)
        # Else it counts as spooled, and nothing has become of it yet: an hour's outage is not 200 failures.
        raise
    _tell(delivery, outcome, started)
    return outcome


def _tell(delivery: Delivery, outcome: Outcome, started: float) -> None:
    seconds = time.perf_counter() - started
    webhook_event.send(source=delivery.source, event_type=_kind(delivery), outcome=outcome.value, seconds=seconds)


def _process(delivery: Delivery) -> Outcome:
    try:
        outcome = handler.process(delivery)
    except Exception as error:
        if delivery.attempts < MOST_ATTEMPTS:
            raise
        # Only a database that answers takes a dead letter.
        handler.bury(delivery, error)
        return Outcome.DEAD
    if outcome is Outcome.UNKNOWN and delivery.source == "vapi":
        # It has been acknowledged, so it must not vanish.
        handler.bury(delivery, NotFound("assistant"))
        return Outcome.DEAD
    return outcome


def _kind(delivery: Delivery) -> str:
    kind, _ = handler.names(delivery)
    return kind if kind in {*KNOWN, sms_status.EVENT_TYPE} else "other"


class Drainer:
    """One thread; it keeps no process alive, and whatever it leaves undone another does later."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._texts_at = self._spool_at = 0.0
        self._failures = 0
        text_queued.connect(self._on_text)

    @property
    def is_running(self) -> bool:
        """Whether the thread runs, in this process."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin; only in a process that serves, after it has been forked."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhook-drainer", daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def stop(self, timeout: float = 2.0) -> None:
        """End between two events; one that takes longer than the time-out is left to itself."""
        self._stopping.set()
        self._awake.set()
        if self._thread is not None:
            self._thread.join(timeout)
        atexit.unregister(self.stop)

    def _on_text(self, _sender: object) -> None:
        self._texts_at = 0.0
        self._awake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for work in (self._send_texts, self._apply_spool):
                try:
                    # A context of its own for each, as the requests to the database are noted there.
                    with self._app.app_context():
                        work()
                except Exception as error:  # noqa: BLE001 -- whatever it is, the next round may go well
                    self._log(error)
            self._awake.wait(LOOK_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311
            self._awake.clear()

    def _send_texts(self) -> None:
        now = time.monotonic()
        if now < self._texts_at:
            return
        self._texts_at = now + TEXTS_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311
        while texts.send_due() and not self._stopping.is_set():
            pass

    def _apply_spool(self) -> None:
        kept_in = spool.of(self._app)
        if kept_in is None or time.monotonic() < self._spool_at or not kept_in.size().events:
            return
        try:
            outcomes = drain(kept_in, enough=self._stopping.is_set)
        except Exception:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            self._spool_at = time.monotonic() + pause * random.uniform(0.5, 1.0)  # noqa: S311
            raise
        self._failures = 0
        if outcomes:
            counts = {outcome.value if outcome else "unreadable": count for outcome, count in outcomes.items()}
            logger.info("kept events applied", extra={"outcomes": counts})
        if outcomes and outcomes[None]:
            logger.error("kept events can't be decrypted, see ENCRYPTION_KEYS", extra={"events": outcomes[None]})
            self._spool_at = time.monotonic() + LONGEST_PAUSE

    def _log(self, error: Exception) -> None:
        if is_unavailable(error):
            logger.warning("database away, trying again later", extra={"cause": type(error).__name__})
        else:
            # Not its text, which may quote an event.
            logger.error("work beside the requests failed", extra={"cause": type(error).__name__})


def init_app(app: Flask) -> None:
    """Set up the thread, not yet running."""
    app.extensions[EXTENSION] = Drainer(app)


def of(app: Flask) -> Drainer:
    """Return an application's thread."""
    drainer: Drainer = app.extensions[EXTENSION]
    return drainer
