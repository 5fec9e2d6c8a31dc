"""A request that met another writer in a deadlock is sent again: the database has undone it."""

import os
import threading
from contextlib import suppress

import psycopg
from werkzeug.test import TestResponse

from tests.blocked import wait_until_blocked
from tests.factories import Factory
from tests.schema.nested import SUPERUSER


def test_a_call_is_deleted_although_another_writer_of_it_came_the_other_way_round(
    factory: Factory, sql: psycopg.Connection
) -> None:
    """Who writes a call has its row and waits for the version; who wrote a contact before has the version."""
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
        wait_until_blocked(sql, writer)
        with suppress(psycopg.errors.DeadlockDetected):
            writer.execute("update public.call_logs set notes = 'Called back.' where id = %s", [call])
    thread.join()

    assert [reply.status_code for reply in replies] == [200]
    deleted = sql.execute("select deleted_at, notes from public.call_logs where id = %s", [call]).fetchone()
    assert deleted
    assert deleted["deleted_at"]
