"""A flow's good days: what comes in comes out, once, in order, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from scheduler.flow import completion
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import Batch, FilterStep, MapStep, OnError, ScoreStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="p", batch=Batch(count=256))


def test_every_record_is_scored_in_the_order_of_the_source(make: Any, service: Any, data: Callable[..., str]) -> None:
    flow = make(SCORE, url=service.url)
    flow.write(data(5000))
    end = flow.run()
    assert (end.reason, end.message) == (Reason.COMPLETED, "")
    assert end.ledger == Ledger(read=5000, written=5000)
    assert end.total == 5000
    assert [record["id"] for record in flow.records()] == list(range(5000))
    assert all(record["p"] == record["x"] * 2 == i / 7 * 2 for i, record in enumerate(flow.records()))
    assert sum(service.requests) == 5000
    assert max(service.requests) == 256


def test_filter_and_map(make: Any, data: Callable[..., str]) -> None:
    flow = make(
        FilterStep(name="odd", condition="this.id % 2 == 1"),
        MapStep(name="double", mapping='root = this\nroot.p = this.id * 2\nroot.name = this.name.uppercase() + "!"'),
    )
    flow.write(data(1001))
    end = flow.run()
    assert end.ledger == Ledger(read=1001, written=500, filtered=501)
    assert [record["id"] for record in flow.records()] == list(range(1, 1001, 2))
    assert flow.records()[0] == {"id": 1, "x": 1 / 7, "name": "N1!", "p": 2.0}


def test_a_map_that_deletes_filters(make: Any, data: Callable[..., str]) -> None:
    flow = make(MapStep(name="some", mapping="root = if this.id < 10 { this } else { deleted() }"))
    flow.write(data(100))
    assert flow.run().ledger == Ledger(read=100, written=10, filtered=90)


def test_a_filter_takes_only_true(make: Any) -> None:
    flow = make(FilterStep(name="x", condition="this.x"), output=make().input)
    flow.write("id,x,name\n1,1,a\n")
    assert flow.run().ledger == Ledger(read=1, filtered=1)


def test_failing_record_in_the_middle_of_the_second_batch(make: Any, service: Any, data: Callable[..., str]) -> None:
    mapping = 'root = this\nroot.x = if this.id % 10 == 4 { throw("not " + this.id.string()) } else { this.x }'
    flow = make(MapStep(name="check", mapping=mapping), SCORE, url=service.url)
    flow.write(data(1000))
    end = flow.run()
    assert end.ledger == Ledger(read=1000, written=900, dead_lettered=100)
    assert [record["id"] for record in flow.records()] == [i for i in range(1000) if i % 10 != 4]
    dead = flow.records("dead.jsonl")
    assert [letter["position"] for letter in dead] == [i + 1 for i in range(1000) if i % 10 == 4]
    assert {letter["step"] for letter in dead} == {"f.check"}
    assert dead[30]["record"] == {"id": "304", "x": str(304 / 7), "name": "n304"}
    assert dead[30]["line"] == 306
    assert "not 304" in dead[30]["reason"]


@pytest.mark.parametrize("names_rows", [False, True], ids=["halving", "named"])
def test_one_poisoned_record_in_ten_thousand(
    make: Any, service: Any, data: Callable[..., str], *, names_rows: bool
) -> None:
    service.refuses = lambda x: x == 6000.5
    service.names_rows = names_rows
    flow = make(SCORE, url=service.url)
    flow.write(data(10_000, x=lambda i: 6000.5 if i == 6000 else i))
    end = flow.run()
    assert end.ledger == Ledger(read=10_000, written=9_999, dead_lettered=1)
    assert flow.records("dead.jsonl")[0]["record"]["id"] == "6000"
    assert flow.records("dead.jsonl")[0]["reason"] == ("row 112: x is poison" if names_rows else "bad rows")
    assert [record["id"] for record in flow.records()] == [i for i in range(10_000) if i != 6000]
    assert len(service.requests) == 40 + (1 if names_rows else 16)


def test_drop_counts_apart(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.refuses = lambda x: x is not None and x % 100 == 0
    step = ScoreStep(name="score", model="m", inputs=("x",), output="p", on_error=OnError.DROP)
    flow = make(step, url=service.url)
    flow.write(data(1000, x=lambda i: i))
    assert flow.run().ledger == Ledger(read=1000, written=990, dropped=10)
    assert flow.records("dead.jsonl") == []


def test_numbers_keep_every_digit(make: Any, service: Any) -> None:
    numbers = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 2**53 + 2.0, -0.0, 1e22, 123456789.123456789]
    ids = [2**63 - 1, -(2**63), 2**53 + 1, 0, 1, 2, 3, 4]
    flow = make(MapStep(name="same", mapping="root = this"), SCORE, url=service.url)
    service.answer = list
    lines = [f"{i},{x!r}," for i, x in zip(ids, numbers, strict=True)]
    flow.write("\n".join(["id,x,name", *lines]))
    assert flow.run().ledger == Ledger(read=8, written=8)
    assert [record["id"] for record in flow.records()] == ids
    assert [repr(record["p"]) for record in flow.records()] == [repr(x) for x in numbers]
    assert all(record["name"] is None for record in flow.records())


def test_nulls_reach_the_model_and_come_back(make: Any, service: Any) -> None:
    flow = make(SCORE, url=service.url)
    flow.write("id,x,name\n1,,\n2,3,b\n")
    flow.run()
    assert flow.records() == [
        {"id": 1, "x": None, "name": None, "p": None},
        {"id": 2, "x": 3.0, "name": "b", "p": 6.0},
    ]
    assert json.loads(service.bodies[0])["inputs"][1] == {
        "name": "x.null", "shape": [2], "datatype": "BOOL", "data": [True, False],
    }  # fmt: skip


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("format_", ["csv", "json-lines"])
def test_every_form_of_file(make: Any, format_: str, compression: str) -> None:
    import gzip

    records = [{"id": i, "x": i / 3, "name": f'a "{i}",\nb'} for i in range(300)]
    text = "".join(json.dumps(record) + "\n" for record in records)
    if format_ == "csv":
        text = "id,x,name\r\n" + "".join(f'{r["id"]},{r["x"]!r},"a ""{r["id"]}"",\nb"\r\n' for r in records)
    ending = ("csv" if format_ == "csv" else "jsonl") + (".gz" if compression == "gzip" else "")
    channel = {"format": format_, "compression": compression}
    flow = make(
        MapStep(name="same", mapping="root = this"),
        source={"path": f"in.{ending}", **channel},
        sink={"path": f"out.{ending}", **channel},
        dead_letters={"path": f"dead.{ending}", **channel},
        output=make().input,
    )
    flow.write(gzip.compress(text.encode()) if compression == "gzip" else text, f"in.{ending}")
    end = flow.run()
    assert (end.message, end.ledger) == ("", Ledger(read=300, written=300))
    found = flow.records(f"out.{ending}")
    assert [{**r, "id": int(r["id"]), "x": float(r["x"])} for r in found] == records
    assert flow.records(f"dead.{ending}") == []


def test_dead_letters_as_csv(make: Any) -> None:
    flow = make(dead_letters={"path": "dead.csv", "format": "csv"}, output=make().input)
    flow.write('id,x,name\n1,2,a\nq,"4\n",b\n5,6,c,d\n')
    assert flow.run().ledger == Ledger(read=3, written=1, dead_lettered=2)
    first, second = flow.records("dead.csv")
    assert (first["step"], first["position"], first["line"]) == ("decode", "2", "3")
    assert first["reason"] == 'id: "q" is not an int64; x: "4\\n" is not a double'
    assert json.loads(first["record"]) == {"id": "q", "x": "4\n", "name": "b"}
    assert json.loads(second["record"]) == "5,6,c,d"
    assert second["line"] == "5"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", 0),
        ("id,x,name\n", 0),
        ("id,x,name", 0),
        ("\ufeffid,x,name\r\n\r\n1,2,3\r\n\r\n", 1),
        ("id,x,name\n1,2,3", 1),
    ],
    ids=["empty", "header", "header without end", "mark and blank lines", "no last line end"],
)
def test_small_files(make: Any, text: str, read: int) -> None:
    flow = make(output=make().input, sink={"path": "out.csv", "format": "csv"})
    flow.write(text)
    end = flow.run()
    assert (end.message, end.ledger, end.total) == ("", Ledger(read=read, written=read), read)
    assert flow.path("out.csv").read_text().splitlines()[0] == "id,x,name"
    assert len(flow.records("out.csv")) == read


def test_the_manifest_says_what_the_sink_is(make: Any, data: Callable[..., str]) -> None:
    import hashlib

    flow = make(FilterStep(name="few", condition="this.id < 3"))
    flow.write(data(10))
    flow.run()
    manifest = json.loads(flow.path("out.jsonl.manifest.json").read_text())
    assert manifest.pop("completedAt").endswith("Z")
    assert manifest == {
        "job": "jtest",
        "flow": "f",
        "irDigest": "sha256:ir",
        "dataVersion": "v1",
        "ledger": {"read": 10, "written": 3, "deadLettered": 0, "dropped": 0, "filtered": 7, "split": 0, "folded": 0},
        "digest": "sha256:" + hashlib.sha256(flow.path("out.jsonl").read_bytes()).hexdigest(),
    }


def test_two_runs_give_the_same_bytes(make: Any, service: Any, data: Callable[..., str]) -> None:
    flow = make(FilterStep(name="some", condition="this.id % 3 != 0"), SCORE, url=service.url)
    flow.write(data(4000))
    flow.run("uid-1")
    first = flow.path("out.jsonl").read_bytes()
    assert flow.run("uid-2").reason is Reason.COMPLETED
    assert flow.path("out.jsonl").read_bytes() == first
    assert completion.exit_code(flow.run("uid-3")) == 0
