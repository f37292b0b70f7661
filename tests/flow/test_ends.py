"""Data, files and texts that a flow cannot work with: the reason by name, the cause in words, nothing published."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from scheduler.flow import completion, config, parts, runner, source_count
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import MapStep, OnError, ScoreStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="p")
SAME = MapStep(name="same", mapping="root = this")


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
    flow.write(
        '{"id": 1, "x": 2}\n\n{"id": 2\n[3]\n{"x": 4}\n{"id": 1.5}\n{"id": "5"}\n{"id": 6, "z": 1}\n', "in.jsonl"
    )
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
    monkeypatch.setattr(source_count, "count", lambda *_, **__: 9999)
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


def test_a_text_that_the_engine_refuses(make: Any, data: Callable[..., str]) -> None:
    flow = make(MapStep(name="bad", mapping='root.p = env("SECRET")'))
    flow.write(data(1))
    end = flow.run()
    assert end.reason is Reason.FLOW_REFUSED
    assert "unrecognised function 'env'" in end.message
    assert completion.exit_code(end) == 10


def test_runner_json_is_read_as_it_was_written(make: Any) -> None:
    flow = make(SCORE, url="http://s:8080", max_ratio=0.25)
    read = config.load(flow.deploy())
    assert read.source == config.File(path=flow.path("in.csv"), format="csv")
    assert read.services == (config.Service(url="http://s:8080", model="m"),)
    assert (read.max_ratio, read.required, read.ir_digest, read.release) == (0.25, ("id",), "sha256:ir", "jtest")
