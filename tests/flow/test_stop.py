"""Ends from outside: signals, wishes, kills. The next attempt leaves exactly one complete result."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.flow import completion, control, engine
from scheduler.flow.engine import Engine
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Reason
from scheduler.model.pipeline import MapStep, ScoreStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="p")
SAME = MapStep(name="same", mapping="root = this")


def test_the_engine_dies(make: Any, service: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    service.statuses = [503] * 1000
    started: list[subprocess.Popen[bytes]] = []
    real = Engine.load

    def load(self: Engine, *given: Any, **more: Any) -> None:
        real(self, *given, **more)
        started.append(self._child)
        threading.Timer(0.5, self._child.kill).start()

    monkeypatch.setattr(Engine, "load", load)
    flow = make(SCORE, url=service.url)
    flow.write(data(100))
    end = flow.run()
    assert started[0].returncode == -signal.SIGKILL
    assert (end.reason, end.message) == (Reason.FLOW_CRASHED, "the engine ended with code -9")
    assert completion.exit_code(end) == 1
    assert flow.published() == set()


@pytest.mark.parametrize("wish", list(control.Wish))
def test_an_end_before_the_end_publishes_nothing(make: Any, service: Any, data: Callable[..., str], wish: Any) -> None:
    service.statuses = [503] * 1000
    flow = make(SCORE, url=service.url)
    flow.write(data(100))
    threading.Timer(1, flow.board.ask, (wish,)).start()
    end = flow.run()
    expected = Reason.COMPLETED_BY_REQUEST if wish is control.Wish.COMPLETE else Reason.DRAINED
    assert end.reason is expected
    assert "nothing is published" in end.message
    assert completion.exit_code(end) == (11 if wish is control.Wish.TERMINATE else 10)
    assert flow.published() == set()


def test_sigterm_to_the_program(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.statuses = [503] * 1000
    flow = make(SCORE, url=service.url)
    flow.write(data(100))
    program = flow.start("uid-1")
    _await(lambda: len(service.bodies) > 0)
    program.terminate()
    assert program.wait(timeout=20) == 11
    message = json.loads(flow.path("uid-1.json").read_text())
    assert (message["outcome"], message["reason"], message["total"]) == ("Failed", "Drained", 100)
    assert flow.published() == set()


def test_killed_and_run_again(make: Any, service: Any, data: Callable[..., str]) -> None:
    """Killed at three moments, each time by -9: the next attempt leaves exactly one complete result."""
    flow = make(SCORE, url=service.url)
    flow.write(data(20_000))
    score = service.answer

    def slow(xs: list[Any]) -> list[Any]:
        time.sleep(0.02)
        scored: list[Any] = score(xs)
        return scored

    service.answer = slow
    for attempt, requests in enumerate([1, 30, 70]):
        service.requests.clear()
        program = flow.start(f"uid-{attempt}")
        _await_requests(service, requests)
        program.kill()
        assert program.wait(timeout=10) == -signal.SIGKILL
        assert {name.endswith(".part") for name in flow.published()} == {True}
        _await(lambda: _is_quiet(service))
    program = flow.start("uid-last")
    assert program.wait(timeout=60) == 0
    message = json.loads(flow.path("uid-last.json").read_text())
    assert (message["outcome"], message["reason"]) == ("Succeeded", "Completed")
    assert message["ledger"]["written"] == message["total"] == 20_000
    assert flow.published() == {"out.jsonl", "dead.jsonl"}
    assert [record["id"] for record in flow.records()] == list(range(20_000))


def test_the_control_port(make: Any, service: Any, data: Callable[..., str], bento: str) -> None:
    service.statuses = [503] * 1000
    flow = make(SCORE, url=service.url)
    flow.write(data(100))
    port = service.__class__().port
    program = flow.start("uid-1", control_port=port)
    try:
        _await(lambda: len(service.bodies) > 2)

        def ask(method: str, path: str) -> Any:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)

        assert ask("GET", "/healthz") == {"status": "ok"}
        progress = ask("GET", "/progress")
        assert (progress["phase"], progress["total"], progress["ledger"]["read"]) == ("running", 100, 100)
        assert "HTTP 503" in progress["message"]
        assert ask("POST", "/drain") == {"wish": "drain"}
        assert program.wait(timeout=20) == 10
    finally:
        if program.poll() is None:
            program.kill()
            program.wait(timeout=10)
    assert json.loads(flow.path("uid-1.json").read_text())["reason"] == "Drained"


def test_nothing_of_the_environment_is_in_the_engine(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.statuses = [503] * 1000
    flow = make(SCORE, url=service.url)
    flow.write(data(1))
    program = flow.start("uid-1")
    try:
        _await(lambda: len(service.bodies) > 0)
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(program.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert children
        for child in children:
            assert Path(f"/proc/{child}/environ").read_bytes() == b""
    finally:
        program.kill()
        program.wait(timeout=10)
    _await(lambda: not any(_cmdline(child) for child in children))


def test_an_engine_that_is_not_there(make: Any, data: Callable[..., str]) -> None:
    flow = make(SAME)
    flow.bento = "/no/such/bento"
    flow.write(data(1))
    end = flow.run()
    assert (end.reason, "cannot be started" in end.message) == (Reason.FLOW_CRASHED, True)
    with pytest.raises(FlowFailedError):
        Engine(engine.Place(program=flow.bento))


def _await(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def _await_requests(service: Any, count: int) -> None:
    _await(lambda: len(service.requests) >= count)


def _is_quiet(service: Any) -> bool:
    """No request for a moment: the killed runner's engine has ended too."""
    before = len(service.requests)
    time.sleep(0.3)
    return len(service.requests) == before


def _cmdline(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
