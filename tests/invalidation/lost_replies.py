"""Writes that land and are never answered."""

import contextlib
import threading
from collections.abc import Iterator
from unittest.mock import patch

import httpx

from voxanne.database import ObservedTransport

READS = {"/rest/v1/rpc/my_invitations", "/rest/v1/rpc/price_list", "/rest/v1/rpc/route_webhook"}
"""Those that are sent by POST."""


@contextlib.contextmanager
def lost_replies() -> Iterator[list[str]]:
    """Time out every write to the database once it is done; gives the list of them."""
    lost: list[str] = []
    here, send = threading.get_ident(), ObservedTransport.handle_request

    def lose(self: ObservedTransport, request: httpx.Request) -> httpx.Response:
        reply = send(self, request)
        if request.method == "GET" or request.url.path in READS or threading.get_ident() != here:
            return reply
        reply.read()
        reply.close()
        assert reply.is_success, reply.status_code
        lost.append(f"{request.method} {request.url.path}")
        raise httpx.ReadTimeout("the reply was lost", request=request)

    with patch.object(ObservedTransport, "handle_request", lose):
        yield lost
