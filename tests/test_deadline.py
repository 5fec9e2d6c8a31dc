"""How long may still be waited, told by whoever waits."""

import math
import threading

import httpx
import pytest

from voxanne import deadline
from voxanne.database import ObservedTransport


def undone(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(500, json={"code": "40P01"})


def gone(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("the connection was closed", request=request)


def test_without_anybody_waiting_every_limit_is_its_own() -> None:
    assert not deadline.is_set()
    assert deadline.left(5.0) == 5.0


def test_the_time_runs_out_and_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(deadline, "monotonic", lambda: now[0])
    with deadline.within(2.0):
        assert deadline.is_set()
        assert (deadline.left(5.0), deadline.left(1.0), deadline.left(math.inf)) == (2.0, 1.0, 2.0)
        now[0] += 3.0
        assert deadline.left(5.0) == 0.0
    assert deadline.left(5.0) == 5.0


def test_a_block_within_another_has_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "monotonic", lambda: 100.0)
    with deadline.within(2.0):
        with deadline.within(60.0):
            assert deadline.left(math.inf) == 2.0
        with deadline.within(1.0):
            assert deadline.left(math.inf) == 1.0
        assert deadline.left(math.inf) == 2.0


def test_another_thread_is_not_hurried() -> None:
    seen: list[float] = []
    with deadline.within(0.0):
        thread = threading.Thread(target=lambda: seen.append(deadline.left(5.0)))
        thread.start()
        thread.join()
    assert seen == [5.0]


@pytest.mark.parametrize("trouble", [undone, gone])
@pytest.mark.parametrize("taken", [1.5, 3.0])
def test_what_is_sent_again_has_what_is_left(monkeypatch: pytest.MonkeyPatch, trouble, taken: float) -> None:
    now, limits = [100.0], []

    send = httpx.HTTPTransport.handle_request

    def answer(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.host != "database":  # a background load of the application that other tests share
            return send(transport, request)
        limits.append(request.extensions["timeout"]["read"])
        now[0] += taken
        return trouble(request) if len(limits) == 1 else httpx.Response(204)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    client = httpx.Client(transport=ObservedTransport(), timeout=5.0)
    monkeypatch.setattr(deadline, "monotonic", lambda: now[0])
    with deadline.within(2.0):
        if taken < 2:
            assert client.get("http://database").status_code == 204
        else:
            with pytest.raises(httpx.ConnectTimeout):
                client.get("http://database")
    assert limits == ([2.0, 0.5] if taken < 2 else [2.0])
