"""Every other day: the reason by name, the cause in words, and nothing published."""

from __future__ import annotations

import gzip
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

from scheduler.flow import completion, config, control, engine, parts, runner
from scheduler.flow.engine import Engine
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import MapStep, OnError, ScoreStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="p")
SAME = MapStep(name="same", mapping="root = this")


def test_the_service_comes_three_seconds_late(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.stop()
    threading.Timer(3, service.start).start()
    flow = make(SCORE, url=service.url)
    flow.write(data(1000))
    assert flow.run().ledger == Ledger(read=1000, written=1000)


def test_the_service_goes_away_for_three_seconds(make: Any, service: Any, data: Callable[..., str]) -> None:
    score, seen = service.answer, threading.Event()

    def answer(xs: list[Any]) -> list[Any]:
        if len(service.requests) > 10 and not seen.is_set():
            seen.set()
            threading.Thread(target=service.stop).start()
            threading.Timer(3, service.start).start()
            time.sleep(0.5)
        return score(xs)

    service.answer = answer
    flow = make(SCORE, url=service.url)
    flow.write(data(20_000))
    end = flow.run()
    assert seen.is_set()
    assert end.ledger == Ledger(read=20_000, written=20_000)
    assert [record["id"] for record in flow.records()] == list(range(20_000))


@pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
def test_an_outage_is_never_a_dead_letter(make: Any, service: Any, data: Callable[..., str], status: int) -> None:
    service.statuses = [status] * 5
    flow = make(SCORE, url=service.url)
    flow.write(data(600))
    assert flow.run().ledger == Ledger(read=600, written=600)
    assert service.statuses == []


def test_an_outage_ends_with_the_run_deadline(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.statuses = [503] * 1000
    flow = make(SCORE, url=service.url, run_seconds=1.5)
    flow.write(data(600))
    end = flow.run()
    assert end.reason is Reason.RUN_DEADLINE
    assert "model 'm': HTTP 503" in end.message
    assert end.ledger.dead_lettered == 0
    assert flow.published() == set()


def test_a_service_that_never_gets_ready(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.is_ready = False
    flow = make(SCORE, url=service.url, ready_seconds=1)
    flow.write(data(10))
    end = flow.run()
    assert end.reason is Reason.READY_DEADLINE
    assert f"model 'm' at {service.url} is not ready: HTTP 503" in end.message
    assert completion.exit_code(end) == 11
    assert flow.published() == set()


def test_a_service_that_answers_with_another_number_of_rows(
    make: Any, service: Any, data: Callable[..., str]
) -> None:
    service.answer = lambda xs: list(xs)[1:]
    flow = make(SCORE, url=service.url)
    flow.write(data(10))
    end = flow.run()
    assert end.reason is Reason.SERVICE_CRASHED
    assert "shape [9] for 10 rows" in end.message
    assert flow.published() == set()


def test_rows_that_do_not_fit_the_header(make: Any) -> None:
    flow = make(SAME, output=make().input)
    flow.write('id,x,name\n1,2,a\n2,3,b,c\n3\n4,5,"d\ne"\n5,6,7"8\n"6"x,7,f\n7,8,g\n')
    assert flow.run().ledger == Ledger(read=7, written=3, dead_lettered=4)
    assert [(letter["line"], letter["reason"], letter["record"]) for letter in flow.records("dead.jsonl")] == [
        (3, "the row has 4 fields, the header has 3", "2,3,b,c"),
        (4, "the row has 1 fields, the header has 3", "3"),
        (7, "field 3: a quote inside a field that does not begin with one", '5,6,7"8'),
        (8, "field 1: text after a field's closing quote", '"6"x,7,f'),
    ]
    assert [record["id"] for record in flow.records()] == [1, 4, 7]


def test_json_lines_that_are_no_records(make: Any) -> None:
    flow = make(SAME, output=make().input, source={"path": "in.jsonl", "format": "json-lines"})
    flow.write('{"id": 1, "x": 2}\n\n{"id": 2\n[3]\n{"x": 4}\n{"id": 1.5}\n{"id": "5"}\n{"id": 6, "z": 1}\n', "in.jsonl")
    assert flow.run().ledger == Ledger(read=7, written=2, dead_lettered=5)
    found = [(letter["line"], letter["reason"]) for letter in flow.records("dead.jsonl")]
    assert found == [
        (3, "not JSON: unexpected EOF"),
        (4, "not a JSON object"),
        (5, "id is missing"),
        (6, 'id: "1.5" is not an int64'),
        (7, 'id: "5" is not an int64'),
    ]
    assert flow.records() == [{"id": 1, "x": 2.0}, {"id": 6}]


def test_a_result_that_does_not_fit_its_schema(make: Any) -> None:
    flow = make(MapStep(name="m", mapping='root = this\nroot.p = if this.id == 2 { "high" } else { 0.5 }'))
    flow.write("id,x,name\n1,2,a\n2,3,b\n")
    assert flow.run().ledger == Ledger(read=2, written=1, dead_lettered=1)
    letter = flow.records("dead.jsonl")[0]
    assert (letter["step"], letter["reason"]) == ("encode", 'p: "high" is not a double')


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"id,x,name\n" + b"".join(b"%d,2,3\n" % i for i in range(9999)))[:-200], "end-of-stream"),
        (b"", "it is empty, not a gzip file"),
        (b"id,x,name\n1,2,3\n", "Not a gzipped file"),
        (gzip.compress(b'id,x,name\n1,2,3\n1,2,"3\n4,5,6\n'), "a quote is opened and never closed"),
        (gzip.compress(b"x,name\n1,2\n"), "there is no column 'id' (it has x, name)"),
        (gzip.compress(b"id,x,x\n1,2,3\n"), "two columns are named 'x'"),
    ],
    ids=["truncated", "empty", "not gzip", "open quote", "column missing", "column twice"],
)
def test_a_damaged_source(make: Any, content: bytes, words: str) -> None:
    flow = make(SAME, source={"path": "in.csv.gz", "format": "csv", "compression": "gzip"})
    flow.write(content, "in.csv.gz")
    end = flow.run()
    assert end.reason is Reason.SOURCE_DAMAGED
    assert words in end.message
    assert completion.exit_code(end) == 10
    assert flow.published() == set()


def test_a_source_that_is_damaged_behind_the_count(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine finds it too: it does not end quietly with what it could read."""
    monkeypatch.setattr(runner.source_count, "count", lambda *_, **__: 9999)
    flow = make(SAME, source={"path": "in.csv.gz", "format": "csv", "compression": "gzip"})
    flow.write(gzip.compress(b"id,x,name\n" + b"1,2,3\n" * 9999)[:-8], "in.csv.gz")
    end = flow.run()
    assert (end.reason, "unexpected EOF" in end.message) == (Reason.SOURCE_DAMAGED, True)
    assert flow.published() == set()


def test_no_source(make: Any) -> None:
    end = make(SAME).run()
    assert end.reason is Reason.SOURCE_MISSING
    assert "in.csv: No such file or directory" in end.message


def test_a_sink_that_cannot_be_written(make: Any, data: Callable[..., str]) -> None:
    flow = make(SAME, sink={"path": "in.csv/out.jsonl", "format": "json-lines"})
    flow.write(data(1))
    end = flow.run()
    assert end.reason is Reason.SINK_NOT_WRITABLE
    assert "in.csv/out.jsonl" in end.message
    assert flow.published() == set()


def test_a_full_disk(make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = runner._configuration

    def full(text: str, made: parts.Parts) -> Any:
        configuration: Any = real(text, made)
        configuration["output"]["modelops_file"]["path"] = "/dev/full"
        return configuration

    monkeypatch.setattr(runner, "_configuration", full)
    flow = make(SAME)
    flow.write(data(50_000))
    end = flow.run()
    assert end.reason is Reason.DISK_FULL
    assert "no space left on device" in end.message
    assert completion.exit_code(end) == 11
    assert flow.published() == set()


def test_fail_names_step_and_record(make: Any, data: Callable[..., str]) -> None:
    mapping = 'root = if this.id == 700 { throw("no such carrier") } else { this }'
    flow = make(MapStep(name="strict", mapping=mapping, on_error=OnError.FAIL))
    flow.write(data(1000))
    end = flow.run()
    assert end.reason is Reason.RECORD_FAILED
    assert end.message.startswith("step 'f.strict', record 701 (line 702): ")
    assert "no such carrier" in end.message
    assert completion.exit_code(end) == 10
    assert flow.published() == set()


def test_the_first_dead_letter_without_a_channel_for_it(make: Any, data: Callable[..., str]) -> None:
    flow = make(SAME, dead_letters=None)
    flow.write("id,x,name\n1,2,a\nb,3,c\n")
    end = flow.run()
    assert end.reason is Reason.TOO_MANY_DEAD_LETTERS
    assert end.message == "step 'decode', record 2 (line 3): id: \"b\" is not an int64"
    assert flow.published() == set()


@pytest.mark.parametrize(("ratio", "reason"), [(0.01, Reason.COMPLETED), (0.0099, Reason.TOO_MANY_DEAD_LETTERS)])
def test_the_dead_letter_ratio(make: Any, data: Callable[..., str], ratio: float, reason: Reason) -> None:
    flow = make(SAME, max_ratio=ratio)
    flow.write(data(1000, x=lambda i: "?" if i % 100 == 50 else i))
    end = flow.run()
    assert end.reason is reason
    if reason is Reason.TOO_MANY_DEAD_LETTERS:
        assert "10 of 1000 records are dead letters" in end.message
        assert "step 'decode', record 51 (line 52): x: \"?\" is not a double" in end.message
        assert flow.published() == set()


@pytest.mark.parametrize(
    "broken",
    [
        lambda ledger: {"read": ledger["read"] - 1},
        lambda ledger: {"written": ledger["written"] + 1},
        lambda ledger: {"filtered": ledger["filtered"] + 1},
        lambda ledger: {"dropped": 1},
    ],
    ids=["read", "written", "filtered", "dropped"],
)
def test_a_wrong_counter_publishes_nothing(
    make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch, broken: Callable[[Any], dict[str, int]]
) -> None:
    real = engine._report
    monkeypatch.setattr(
        engine, "_report", lambda answer: real({**answer, "ledger": {**answer["ledger"], **broken(answer["ledger"])}})
    )
    flow = make(SAME)
    flow.write(data(100))
    end = flow.run()
    assert end.reason is Reason.ACCOUNTING_MISMATCH
    assert flow.published() == set()


@pytest.mark.parametrize("lines", [1, -1], ids=["doubled", "lost"])
def test_a_wrong_file_publishes_nothing(
    make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    real = runner.accounting.take

    def take(ledger: Ledger, **files: Any) -> Ledger:
        path: Path = files["sink"].path
        text = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(text + text[:1] if lines > 0 else text[1:]))
        return real(ledger, **files)

    monkeypatch.setattr(runner.accounting, "take", take)
    flow = make(SAME)
    flow.write(data(100))
    end = flow.run()
    assert end.reason is Reason.ACCOUNTING_MISMATCH
    assert f"{100 + lines} records in the sink of 100 written" in end.message
    assert flow.published() == set()


def test_the_engine_dies(make: Any, service: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    service.statuses = [503] * 1000
    started: list[Engine] = []
    real = Engine.__init__
    monkeypatch.setattr(Engine, "__init__", lambda self, place: (started.append(self), real(self, place))[-1])
    flow = make(SCORE, url=service.url)
    flow.write(data(100))
    threading.Timer(1.5, lambda: started[0]._child.kill()).start()
    end = flow.run()
    assert (end.reason, end.message) == (Reason.FLOW_CRASHED, "the engine ended with code -9")
    assert completion.exit_code(end) == 1
    assert flow.published() == set()


def test_a_text_that_the_engine_refuses(make: Any, data: Callable[..., str]) -> None:
    flow = make(MapStep(name="bad", mapping='root.p = env("SECRET")'))
    flow.write(data(1))
    end = flow.run()
    assert end.reason is Reason.FLOW_REFUSED
    assert "unrecognised function 'env'" in end.message
    assert completion.exit_code(end) == 10


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


def test_another_attempt_takes_over(make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    flow = make(SAME)
    flow.write(data(10))
    real, late = runner.accounting.take, []

    def take(ledger: Ledger, **files: Any) -> Ledger:
        taken = real(ledger, **files)
        if "uid-1" in files["sink"].path.name:
            late.append(flow.run("uid-2"))
        return taken

    monkeypatch.setattr(runner.accounting, "take", take)
    end = flow.run("uid-1")
    assert late[0].reason is Reason.COMPLETED
    assert end.reason is Reason.FLOW_CRASHED
    assert "another attempt of this job has taken over" in end.message
    assert flow.published() == {"out.jsonl", "dead.jsonl"}
    assert len(flow.records()) == 10


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
    service.answer = lambda xs: (time.sleep(0.02), score(xs))[1]
    for attempt, requests in enumerate([1, 30, 70]):
        service.requests.clear()
        program = flow.start(f"uid-{attempt}")
        _await(lambda program=program, requests=requests: len(service.requests) >= requests or program.poll() is not None)
        program.kill()
        assert program.wait(timeout=10) == -signal.SIGKILL
        assert {name.endswith(".part") for name in flow.published()} == {True}
        _await(lambda requests=len(service.requests): _is_quiet(service))
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
    for child in children:
        _await(lambda child=child: not Path(f"/proc/{child}/cmdline").exists() or not _cmdline(child))


def test_an_engine_that_is_not_there(make: Any, data: Callable[..., str]) -> None:
    flow = make(SAME)
    flow.bento = "/no/such/bento"
    flow.write(data(1))
    end = flow.run()
    assert (end.reason, "cannot be started" in end.message) == (Reason.FLOW_CRASHED, True)
    with pytest.raises(FlowFailedError):
        Engine(engine.Place(program=flow.bento))


def test_runner_json_is_read_as_it_was_written(make: Any) -> None:
    flow = make(SCORE, url="http://s:8080", max_ratio=0.25)
    read = config.load(flow.deploy())
    assert read.source == config.File(path=flow.path("in.csv"), format="csv")
    assert read.services == (config.Service(url="http://s:8080", model="m"),)
    assert (read.max_ratio, read.required, read.ir_digest, read.release) == (0.25, ("id",), "sha256:ir", "jtest")


def _await(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


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


