"""The control port over HTTP, against the flow runner's own server."""

from __future__ import annotations

import socket
from collections.abc import Iterator

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
def control(port: int) -> Iterator[HttpFlowControl]:
    with HttpFlowControl(port=port) as made:
        yield made


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


def test_a_flow_that_does_not_answer_is_asked_again_later(control: HttpFlowControl) -> None:
    assert control.progress("127.0.0.1") is None
    assert control.ask("127.0.0.1", "drain") is False
