"""A request that met another writer in a deadlock is sent again: the database has undone it."""

import os
import threading
from contextlib import suppress

import httpx
import psycopg
import pytest
from werkzeug.test import TestResponse

from tests.factories import Factory
from tests.schema.nested import SUPERUSER

# In one statement, as who waits looks for a deadlock but once: a second after it has begun to.
WRITE_WHEN_WAITED_FOR = """
do $$
begin
  while not exists (select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))) loop
    perform pg_sleep(0.01);
  end loop;
  update public.call_logs set notes = 'Called back.' where id = '{call}';
end $$
"""


def test_a_call_is_deleted_although_another_writer_of_it_came_the_other_way_round(
    factory: Factory, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who writes a call has its row and waits for the version; who wrote a contact before has the version."""
    written, sent, send = threading.Event(), [], httpx.HTTPTransport.handle_request

    def in_turn(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.path in sent:  # again: the other has the row by now, or they would meet anew
            assert written.wait(60)
        sent.append(request.url.path)
        return send(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", in_turn)
    caller = factory.caller()
    call = factory.call(caller.org_id)
    replies: list[TestResponse] = []
    thread = threading.Thread(target=lambda: replies.append(caller.delete(f"/api/calls-dashboard/{call}")))
    url = os.environ["DATABASE_URL"].replace("//postgres:", f"//{SUPERUSER}:")
    with psycopg.connect(url) as writer:
        writer.execute("set deadlock_timeout = '1min'")  # so that the request is the one that gives way
        add = "insert into public.contacts (org_id, name, phone) values (%s, 'Anna', '+14155550188')"
        writer.execute(add, [caller.org_id])
        thread.start()
        with suppress(psycopg.errors.DeadlockDetected):
            writer.execute(WRITE_WHEN_WAITED_FOR.replace("{call}", call))
        written.set()
    thread.join()

    assert [reply.status_code for reply in replies] == [200]
    assert len(sent) > len(set(sent)), "it was sent again"
    deleted = sql.execute("select deleted_at, notes from public.call_logs where id = %s", [call]).fetchone()
    assert deleted
    assert deleted["deleted_at"]
