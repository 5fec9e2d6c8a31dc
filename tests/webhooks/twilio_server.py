"""A stand-in for Twilio that is reached over HTTP: it lists what was sent, and sends nothing."""

import json
import threading
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class TwilioServer:
    """Runs until closed; `texts` are those that a telephone would have got, the oldest first."""

    def __init__(self) -> None:
        self.texts: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                text = {
                    "sid": f"SM{uuid.uuid4().hex}",
                    "to": form["To"],
                    "from": form["From"],
                    "body": form["Body"],
                    "status": "queued",
                    "date_created": format_datetime(datetime.now(UTC)),
                }
                outer.texts.append(text)
                self._answer(201, text)

            def do_GET(self) -> None:
                asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                found = [
                    text
                    for text in reversed(outer.texts)
                    if text["to"] == asked.get("To", text["to"]) and text["from"] == asked.get("From", text["from"])
                ]
                self._answer(200, {"messages": found, "next_page_uri": None, "page": 0, "page_size": 100})

            def _answer(self, status: int, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
