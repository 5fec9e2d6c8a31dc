"""A stand-in for Twilio: for development, where there is no account, and for tests; it sends nothing."""

import threading
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from voxanne.integrations.text_messages import Account, SentText

REMEMBERED = 1000


@dataclass(frozen=True)
class KeptText(SentText):
    """A text that was to be sent, as Twilio would list it, and what it would have been sent by and to."""

    account: str
    to: str
    at: datetime
    callback: str | None


class FakeTwilio:
    """Has the methods of `TextProvider`; `texts` are the last ones, `fail` lets the next calls go wrong."""

    def __init__(self) -> None:
        self.texts: deque[KeptText] = deque(maxlen=REMEMBERED)
        self.asked: deque[str] = deque(maxlen=REMEMBERED)
        self._failures: deque[tuple[Exception, bool]] = deque()
        self._lock = threading.Lock()

    def fail(self, error: Exception, *, after_sending: bool = False) -> None:
        """Let the next call raise this; a text may go out all the same, as when the answer is lost."""
        self._failures.append((error, after_sending))

    def send(self, account: Account, to: str, body: str, callback: str | None = None) -> SentText:
        """Keep a text."""
        with self._lock:
            self.asked.append("send")
            error, sent = self._failures.popleft() if self._failures else (None, True)
            text = KeptText(f"SM{uuid.uuid4().hex}", body, "queued", account.sid, to, datetime.now(UTC), callback)
            if sent:
                self.texts.append(text)
            if error:
                raise error
            return text

    def sent_since(self, account: Account, to: str, since: datetime) -> list[SentText]:
        """Return the kept texts of an account to a number, made since then."""
        with self._lock:
            self.asked.append("sent_since")
            if self._failures:
                raise self._failures.popleft()[0]
            made = [text for text in self.texts if (text.account, text.to) == (account.sid, to) and text.at >= since]
            return [*reversed(made)]
