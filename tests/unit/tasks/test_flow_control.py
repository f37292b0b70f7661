"""The control port over HTTP, against the flow runner's own server."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scheduler.flow.control import Board, Server, Wish
from scheduler.model.job import Ledger
from scheduler.tasks.flow_control import HttpFlowControl


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def control(port: int) -> HttpFlowControl:
    return HttpFlowControl(port=port)


def test_progress_and_wishes_pass_through(port: int, control: HttpFlowControl) -> None:
    board = Board()
    board.set_phase("running", total=7)
    board.count(Ledger(read=3, written=2, filtered=1))

    with Server(board, port=port):
        found = control.progress("127.0.0.1")
        assert found is not None
        assert (found.phase, found.total, found.ledger) == ("running", 7, Ledger(read=3, written=2, filtered=1))
        assert control.ask("127.0.0.1", "complete")
        assert control.ask("127.0.0.1", "drain")
    assert board.wish is Wish.COMPLETE


def test_an_answer_that_is_no_yes_is_none(port: int, control: HttpFlowControl) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(503)

        def do_GET(self) -> None:
            self.wfile.write(b"\xff\r\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's signature)
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        assert control.ask("127.0.0.1", "drain") is False
        assert control.progress("127.0.0.1") is None
        server.shutdown()


def test_a_flow_that_does_not_answer_is_asked_again_later(control: HttpFlowControl) -> None:
    assert control.progress("127.0.0.1") is None
    assert control.ask("127.0.0.1", "drain") is False
