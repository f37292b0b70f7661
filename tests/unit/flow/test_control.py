"""The board and its port."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any

import pytest

from scheduler.flow import control
from scheduler.flow.control import Board, Wish
from scheduler.model.job import Ledger


def ask(port: int, method: str, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_routes() -> None:
    board, port = Board(), free_port()
    board.set_phase("running", total=10)
    board.count(Ledger(read=4, written=3, filtered=1))
    board.say("waiting")
    with control.Server(board, port=port):
        assert ask(port, "GET", "/healthz") == (200, {"status": "ok"})
        status, progress = ask(port, "GET", "/progress")
        assert (status, progress["phase"], progress["total"], progress["message"]) == (200, "running", 10, "waiting")
        assert progress["ledger"]["written"] == 3
        assert progress["updated"].endswith("Z")
        assert ask(port, "GET", "/drain")[0] == 404
        assert board.wish is None
        assert ask(port, "POST", "/drain") == (200, {"wish": "drain"})
        assert ask(port, "POST", "/complete") == (200, {"wish": "drain"})
    assert board.wish is Wish.DRAIN


@pytest.mark.timeout(20)
def test_a_wish_ends_a_pause() -> None:
    board = Board()
    board.pause(0.001)
    assert board.wish is None
    board.ask(Wish.DRAIN)
    board.pause(60)
    assert board.wish is Wish.DRAIN


@pytest.mark.timeout(20)
def test_while_a_wish_is_fulfilled_only_the_end_of_the_pod_counts() -> None:
    board = Board()
    board.ask(Wish.DRAIN)
    began = time.monotonic()
    board.pause(0.05, is_ending=True)
    assert time.monotonic() - began >= 0.05
    wishes = []
    for wish in (Wish.COMPLETE, Wish.TERMINATE):
        board.ask(wish)
        wishes.append(board.wish)
    board.pause(60, is_ending=True)
    assert wishes == [Wish.DRAIN, Wish.TERMINATE], "the first one, but for the pod's end"


def test_records_a_second_are_those_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    board = Board()
    for second in range(11):
        now[0] = 100.0 + second
        board.count(Ledger(read=second * 10, written=second * 8, filtered=second * 2))
    assert board.progress().records_per_second == 10.0
    now[0] = 200.0
    board.count(Ledger(read=100, written=80, filtered=20))
    assert board.progress().records_per_second == 0.0
