"""Streams with the real engine: a source that grows, drains, kills, and what must not happen to it."""

from __future__ import annotations

import functools
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scheduler.flow import completion, control
from scheduler.flow.completion import Completion
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import Batch, FilterStep, MapStep, ScoreStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="p", batch=Batch(count=64, period_milliseconds=50))
SOURCE = {"path": "in.csv", "format": "csv", "follow": True}


class Stream:
    """A flow that follows its source in a thread of its own."""

    def __init__(self, flow: Any) -> None:
        self.flow = flow
        self._ends: list[Completion] = []
        self._thread = threading.Thread(target=lambda: self._ends.append(flow.run()), daemon=True)
        self._thread.start()

    def append(self, text: str) -> None:
        with self.flow.path("in.csv").open("a") as file:
            file.write(text)

    def until_written(self, count: int) -> None:
        """That many records are in the sink's unfinished file, for others to see."""
        _await(lambda: sum(part.read_bytes().count(b"\n") for part in _parts(self.flow)) >= count, self.end_or_progress)

    def end_or_progress(self) -> object:
        return self._ends or self.flow.board.progress()

    def drain(self, wish: control.Wish = control.Wish.DRAIN) -> Completion:
        self.flow.board.ask(wish)
        return self.end()

    def end(self) -> Completion:
        self._thread.join(60)
        assert self._ends, self.flow.board.progress()
        return self._ends[0]


def _parts(flow: Any) -> list[Path]:
    return [path for path in flow.folder.iterdir() if path.name.startswith(".out.jsonl.jtest.")]


def _await(is_so: Callable[[], bool], told: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.01)


def rows(first: int, last: int) -> str:
    return "".join(f"{i},{i / 7},n{i}\n" for i in range(first, last))


@pytest.fixture
def stream(make: Any, service: Any) -> Iterator[Callable[..., Stream]]:
    started: list[Stream] = []

    def begin(*steps: Any, text: str = "id,x,name\n", **more: Any) -> Stream:
        flow = make(*(steps or (SCORE,)), url=service.url, source=SOURCE, **more)
        flow.write(text)
        started.append(Stream(flow))
        return started[-1]

    yield begin
    for one in started:
        one.flow.board.ask(control.Wish.TERMINATE)
        one.end()


def test_a_drained_stream_has_every_record_that_was_there_once(stream: Any) -> None:
    found = stream(FilterStep(name="odd", condition="this.id % 2 == 1"), SCORE, text="id,x,name\n" + rows(0, 300))
    found.until_written(150)
    assert found.flow.board.progress().total is None
    found.append(rows(300, 310) + "310,4")
    found.until_written(155)
    found.append("4.3,late\n311,1")
    found.until_written(155)
    assert not found.flow.path("out.jsonl").exists(), "it is published when it is complete"

    end = found.drain()

    assert (end.reason, end.is_success, completion.exit_code(end)) == (Reason.DRAINED, True, 0)
    assert (end.ledger, end.total) == (Ledger(read=311, written=155, filtered=156), 311)
    assert end.message == (
        "drained: all 311 records that the source had are in the result; "
        "5 bytes behind them are no record yet, their line has not ended"
    )
    assert [record["id"] for record in found.flow.records()] == list(range(1, 311, 2))
    assert found.flow.published() == {"out.jsonl", "dead.jsonl"}
    manifest = json.loads(found.flow.path("out.jsonl.manifest.json").read_text())
    size = found.flow.path("in.csv").stat().st_size
    assert manifest["position"] == {"bytes": size - 5, "records": 311}
    assert manifest["ledger"]["read"] == 311


def test_counts_go_on_while_it_runs(stream: Any) -> None:
    found = stream(text="")
    wanted: list[Ledger] = []
    for count in (1, 2, 3):
        found.append(("id,x,name\n" if count == 1 else "") + rows(count, count + 1))
        wanted.append(Ledger(read=count, written=count))
        _await(lambda: found.flow.board.progress().ledger == wanted[-1], found.end_or_progress)
    assert found.flow.board.progress().records_per_second > 0
    assert found.drain().ledger == Ledger(read=3, written=3)


def test_a_trickle_is_scored_within_its_period(stream: Any, service: Any) -> None:
    found = stream()
    for count in (1, 2):
        found.append(rows(count, count + 1))
        found.until_written(count)
    assert service.requests == [1, 1], "neither waited for a full batch"
    found.drain()


def test_a_stream_without_a_record_is_complete_too(stream: Any) -> None:
    found = stream(text="")
    _await(lambda: found.flow.board.progress().phase == "running", found.end_or_progress)
    end = found.drain()
    assert (end.reason, end.is_success, end.ledger, end.total) == (Reason.DRAINED, True, Ledger(), 0)
    assert found.flow.records() == []


def test_a_drain_that_is_heard_before_the_flow_runs_is_not_lost(stream: Any, service: Any) -> None:
    """As after a kill: the next attempt is told before its service answers."""
    service.is_ready = False
    found = stream(text="id,x,name\n" + rows(0, 10))
    found.flow.board.ask(control.Wish.DRAIN)
    time.sleep(0.3)
    service.is_ready = True
    assert found.end().ledger == Ledger(read=10, written=10)


def test_completion_publishes_like_a_drain(stream: Any) -> None:
    end = stream(text="id,x,name\n" + rows(0, 10)).drain(control.Wish.COMPLETE)
    assert (end.reason, end.is_success, end.ledger.written) == (Reason.COMPLETED_BY_REQUEST, True, 10)


def test_the_pods_end_publishes_nothing_even_while_it_drains(stream: Any, service: Any) -> None:
    service.statuses = [503] * 10_000
    found = stream(text="id,x,name\n" + rows(0, 10))
    _await(lambda: len(service.bodies) > 0, found.end_or_progress)
    found.flow.board.ask(control.Wish.DRAIN)
    _await(lambda: found.flow.board.progress().phase == "draining", found.end_or_progress)
    began = time.monotonic()

    end = found.drain(control.Wish.TERMINATE)

    assert time.monotonic() - began < 10
    assert (end.reason, end.is_success, completion.exit_code(end)) == (Reason.DRAINED, False, 11)
    assert found.flow.published() == set()


def test_a_source_that_is_cut_ends_the_stream(stream: Any) -> None:
    found = stream(text="id,x,name\n" + rows(0, 10))
    found.until_written(10)
    os.truncate(found.flow.path("in.csv"), 10)  # at once: written anew it would be empty for a moment
    end = found.end()
    assert end.reason is Reason.SOURCE_DAMAGED
    assert "it was cut to 10 bytes while it was followed; a followed file only grows" in end.message
    assert completion.exit_code(end) == 10
    assert found.flow.published() == set()


def test_a_source_that_is_rotated_ends_the_stream(stream: Any) -> None:
    found = stream(text="id,x,name\n" + rows(0, 10))
    found.until_written(10)
    source = found.flow.path("in.csv")
    source.rename(found.flow.path("config") / "in.csv.1")
    assert "it was removed or renamed while it was followed" in found.end().message


def test_bad_records_at_the_start_of_a_stream_do_not_end_it(stream: Any) -> None:
    found = stream(text="id,x,name\n" + "x,y,z\n" * 5, max_ratio=0.01)
    found.append(rows(0, 495))
    found.until_written(495)
    end = found.drain()
    assert (end.message[:7], end.ledger) == ("drained", Ledger(read=500, written=495, dead_lettered=5))


def test_too_many_bad_records_end_a_drained_stream(stream: Any) -> None:
    found = stream(text="id,x,name\n" + "x,y,z\n" * 5 + rows(0, 400), max_ratio=0.01)
    found.until_written(400)
    end = found.drain()
    assert (end.reason, end.is_success) == (Reason.TOO_MANY_DEAD_LETTERS, False)
    assert "5 of 405 records are dead letters" in end.message
    assert found.flow.published() == set()


def test_without_a_ratio_the_first_dead_letter_ends_the_stream(stream: Any) -> None:
    found = stream(text="id,x,name\nx,y,z\n", max_ratio=0.0)
    assert found.end().reason is Reason.TOO_MANY_DEAD_LETTERS


def test_json_lines_into_gzip(make: Any) -> None:
    flow = make(
        MapStep(name="same", mapping="root = this"),
        source={"path": "in.csv", "format": "json-lines", "follow": True},
        sink={"path": "out.jsonl.gz", "format": "json-lines", "compression": "gzip"},
        output=make().input,
    )
    flow.write('{"id":1,"x":2,"name":"a"}\n{"id":2')
    found = Stream(flow)
    _await(lambda: flow.board.progress().ledger.written == 1, found.end_or_progress)
    assert found.drain().ledger == Ledger(read=1, written=1)
    assert flow.records("out.jsonl.gz") == [{"id": 1, "x": 2.0, "name": "a"}]


@contextmanager
def _growing(path: Path, *, last: int) -> Iterator[threading.Thread]:
    """A writer that appends records, now and then half of one first."""

    def write() -> None:
        with path.open("a", buffering=1 << 16) as file:
            for i in range(last):
                line = f"{i},{i / 7},n{i}\n"
                cut = i % len(line) if i % 500 == 0 else len(line)
                file.write(line[:cut])
                if cut < len(line):
                    file.flush()
                    time.sleep(0.002)
                    file.write(line[cut:])

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield writer
    writer.join(60)


def _has_asked(service: Any, requests: int) -> bool:
    return len(service.requests) >= requests


def test_killed_while_the_source_grows(make: Any, service: Any) -> None:
    """Killed by -9 while records come: the next attempt begins anew and leaves one complete result."""
    flow = make(SCORE, url=service.url, source=SOURCE)
    flow.write("id,x,name\n")
    with _growing(flow.path("in.csv"), last=20_000) as writer:
        for requests in (1, 40):
            service.requests.clear()
            program = flow.start(f"uid-{requests}")
            _await(functools.partial(_has_asked, service, requests), lambda: service.requests)
            program.kill()
            assert program.wait(timeout=10) == -signal.SIGKILL
        stream = Stream(flow)
        writer.join(60)
    end = stream.drain()
    assert (end.reason, end.total, end.ledger) == (Reason.DRAINED, 20_000, Ledger(read=20_000, written=20_000))
    assert flow.published() == {"out.jsonl", "dead.jsonl"}
    assert [record["id"] for record in flow.records()] == list(range(20_000))
