"""What the door does with connections: one client's manners are no other client's matter."""

import collections
import http.client
import os
import subprocess
import threading
import uuid
from urllib.parse import urlsplit

import httpx

from tests.stack.launcher import REPO

PATH = "/rest/v1/organizations?select=id&limit=1"
# Two requests through the proxy to a server that closes each connection at the second request on it.
CLOSING = """
import http from "node:http"; import os from "node:os"; import path from "node:path";
import { proxy } from "%s/supabase/local/proxy.mjs";
const socket = path.join(os.tmpdir(), `proxy-${process.pid}.sock`), seen = new WeakSet();
const closing = http.createServer((request, response) => {
  if (seen.has(request.socket)) return request.socket.destroy();
  seen.add(request.socket);
  response.end();
}).listen(socket);
const door = http.createServer((request, response) => {
  proxy(request, response, { socket, url: new URL(request.url, "http://door"), headers: {} });
});
door.listen(0, "127.0.0.1", async () => {
  const method = process.argv[1], statuses = [];
  for (let turn = 0; turn < 2; turn += 1) {
    const reply = await fetch(`http://127.0.0.1:${door.address().port}/rest/v1/x`, { method });
    await reply.text();
    statuses.push(reply.status);
  }
  console.log(statuses.join(" "));
  closing.close(); process.exit();
});
"""


def ask(connection, key, **headers):
    connection.request("GET", PATH, headers={"apikey": key, **headers})
    reply = connection.getresponse()
    reply.read()
    return reply


def fresh():
    return http.client.HTTPConnection(urlsplit(os.environ["SUPABASE_URL"]).netloc, timeout=20)


def close_again_and_again(key, over):
    while not over.is_set():
        connection = fresh()
        ask(connection, key, Connection="close")
        connection.close()


def test_client_that_closes_its_connections_harms_nobody(secret):
    over = threading.Event()
    closers = [threading.Thread(target=close_again_and_again, args=(secret, over)) for _ in range(2)]
    for closer in closers:
        closer.start()
    try:
        kept = fresh()
        statuses = collections.Counter(ask(kept, secret).status for _ in range(300))
    finally:
        over.set()
        for closer in closers:
            closer.join()
    assert statuses == {200: 300}


def test_connection_headers_stay_on_their_side(secret):
    kept = fresh()
    kept_reply = ask(kept, secret, Connection="keep-alive, X-Mine", **{"X-Mine": "1", "TE": "trailers"})
    assert kept_reply.status == 200
    assert ask(fresh(), secret, Connection="close").getheader("connection") == "close"


def behind_a_closing_server(method):
    script = CLOSING % REPO
    ended = subprocess.run(
        ["node", "--input-type=module", "-e", script, method], capture_output=True, text=True, timeout=30, check=False
    )
    return ended.stdout.split(), ended.stderr


def test_read_that_meets_a_closing_connection_is_said_again():
    assert behind_a_closing_server("GET") == (["200", "200"], "")


def test_write_that_meets_a_closing_connection_is_not():
    assert behind_a_closing_server("POST") == (["200", "503"], "")


def test_body_in_chunks_does_not_spoil_the_connection(secret):
    with httpx.Client(base_url=os.environ["SUPABASE_URL"], headers={"apikey": secret}, timeout=20) as client:
        for _ in range(20):
            nobody = f"/rest/v1/organizations?id=eq.{uuid.uuid4()}"
            assert client.request("DELETE", nobody, content=iter([b"[", b"]"])).status_code == 204
            assert client.get(PATH).status_code == 200
