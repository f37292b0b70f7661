"""The gate: it asks until every model is ready, says what it waits for, and gives up in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from scheduler.flow import gate
from scheduler.flow.config import Service
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Reason

READY_AFTER = 3


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if len(asked) > READY_AFTER else 503)
            self.end_headers()
            self.wfile.write(b"loading")

        def log_message(self, *args: Any) -> None:
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    running.server_close()
    thread.join(timeout=5)


def test_it_waits_and_says_for_what(server: tuple[str, list[str]]) -> None:
    url, asked = server
    said: list[str] = []
    pauses: list[float] = []
    service = Service(url=url, model="a/b")
    gate.wait([service], seconds=10, pause=pauses.append, say=said.append)
    assert asked == ["/v2/models/a%2Fb/ready"] * (READY_AFTER + 1)
    assert said == [f"model 'a/b' at {url} is not ready: HTTP 503 loading"] * READY_AFTER + [""]
    assert pauses == sorted(pauses)
    assert pauses[0] == gate.FIRST_PAUSE


def test_no_service_no_waiting() -> None:
    gate.wait([], seconds=0, pause=time.sleep, say=print)


def test_it_gives_up_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(FlowFailedError, match=r"model 'm' at http://127\.0\.0\.1:9 is not ready: ") as caught:
        gate.wait([Service(url="http://127.0.0.1:9", model="m")], seconds=0.2, pause=time.sleep, say=print)
    assert caught.value.reason is Reason.READY_DEADLINE
    assert time.monotonic() - began < 5


def test_a_wish_ends_the_waiting() -> None:
    def pause(_: float) -> None:
        raise FlowFailedError(Reason.DRAINED, "stopped")

    with pytest.raises(FlowFailedError, match="stopped"):
        gate.wait([Service(url="http://127.0.0.1:9", model="m")], seconds=60, pause=pause, say=print)
