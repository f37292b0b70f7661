"""Channels of type `test` with the real engine: what is made up, what a test sink finds, how both are counted."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scheduler import assets
from scheduler.flow import completion, control
from scheduler.flow.completion import Completion
from scheduler.ir import build
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import Batch, FilterStep, MapStep, OnError, RecordSchema, ScoreStep, Step
from tests.flow import made_up
from tests.flow.conftest import Flow

pytestmark = [pytest.mark.bento, pytest.mark.timeout(900)]

SAME: Final = MapStep(name="same", mapping="root = this")
ODD: Final = FilterStep(name="odd", condition="this.id % 2 == 1")
INPUT: Final[Mapping[str, Any]] = {
    "properties": {
        "id": {"type": "integer"},
        "x": {"type": "number", "nullable": True},
        "name": {"type": "string", "nullable": True},
    },
    "required": ["id"],
}
"""The schema of tests/flow/conftest.py, as a RecordSchema document has it."""
LETTERS: Final = {"path": "dead.jsonl", "format": "json-lines"}
BOTH: Final = frozenset({"source", "sink"})
ALL: Final = frozenset({"source", "sink", "dead"})


def generated(count: int = 0, *, seed: int = 3, rate: float = 0, bad_share: float = 0) -> dict[str, object]:
    return {"seed": seed, "count": count, "rate": rate, "badShare": bad_share}


def records(count: int, *, seed: int = 3, bad_share: float = 0) -> list[dict[str, Any]]:
    """The good ones of those that a test source makes up, in their order."""
    return [
        made_up.record(INPUT, number, seed=seed)
        for number in range(1, count + 1)
        if not made_up.is_bad(number, seed=seed, bad_share=bad_share)
    ]


def sample() -> tuple[RecordSchema, list[str]]:
    """Schema and lines of the documentation."""
    text = (assets.root() / "docs" / "test-data.md").read_text()
    blocks = [yaml.safe_load_all(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    (schema,) = [document for block in blocks for document in block if document["kind"] == "RecordSchema"]
    (lines,) = re.findall(r"```json\n(.*?)\n```", text, re.DOTALL)
    for number, line in enumerate(lines.splitlines(), start=1):
        assert made_up.text(schema["spec"], number, seed=14, bad_share=0.3) == line
    return build.record_schema(schema), lines.splitlines()


def test_the_records_are_those_of_the_documentation(make: Any) -> None:
    schema, lines = sample()
    source = generated(len(lines), seed=14, bad_share=0.3)
    flow = make(SAME, tests={"source"}, source=source, sink={"path": "out.jsonl", "format": "json-lines"})
    flow.input = flow.output = schema
    end = flow.run()
    assert (end.reason, end.ledger) == (Reason.COMPLETED, Ledger(read=8, written=5, dead_lettered=3))
    bad = [number for number in range(1, 9) if made_up.is_bad(number, seed=14, bad_share=0.3)]
    assert [(letter["position"], letter["step"]) for letter in flow.records("dead.jsonl")] == [
        (number, "decode") for number in bad
    ]
    good = [line for number, line in enumerate(lines, start=1) if number not in bad]
    assert flow.path("out.jsonl").read_text().splitlines() == good
    for letter, number in zip(flow.records("dead.jsonl"), bad, strict=True):
        found = letter["record"]
        assert (found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))) == lines[number - 1]


@pytest.mark.parametrize("seed", [0, 3, 2**53 - 1])
def test_equal_seeds_give_equal_records_whatever_the_pace(make: Any, seed: int) -> None:
    found = []
    for rate in (0, 4000):
        flow = make(SAME, tests={"source"}, source=generated(1000, seed=seed, rate=rate), output=make().input)
        assert flow.run().ledger == Ledger(read=1000, written=1000)
        found.append(flow.records())
    assert found[0] == found[1] == records(1000, seed=seed)


def test_ten_thousand_records_are_scored_without_a_file(make: Any, service: Any) -> None:
    step = ScoreStep(name="score", model="m", inputs=("x",), output="p", batch=Batch(count=256))
    flow = make(step, tests=ALL, source=generated(10_000, bad_share=0.01), sink={}, dead_letters={}, url=service.url)
    end = flow.run()
    good = len(records(10_000, bad_share=0.01))
    assert (end.reason, end.message, end.total) == (Reason.COMPLETED, "", 10_000)
    assert end.ledger == Ledger(read=10_000, written=good, dead_lettered=10_000 - good)
    assert 0 < end.ledger.dead_lettered < 200
    assert sum(service.requests) == good
    assert flow.published() == set()


def test_records_that_steps_end_are_no_gaps(make: Any) -> None:
    strict = MapStep(
        name="strict", mapping='root = if this.id % 3 == 0 { throw("no") } else { this }', on_error=OnError.DROP
    )
    some = MapStep(name="some", mapping="root = if this.id % 5 == 0 { deleted() } else { this }")
    flow = make(ODD, strict, some, tests=BOTH, source=generated(5000, bad_share=0.2), sink={})
    end = flow.run()
    odd = [record for record in records(5000, bad_share=0.2) if abs(record["id"]) % 2 == 1 and record["id"] > 0]
    assert end.reason is Reason.COMPLETED
    assert end.ledger.balances
    assert (end.ledger.read, end.ledger.written > 0, end.ledger.dropped > 0) == (5000, True, True)
    assert len(flow.records("dead.jsonl")) == end.ledger.dead_lettered == 5000 - len(records(5000, bad_share=0.2))
    assert end.ledger.written + end.ledger.dropped + end.ledger.filtered == len(records(5000, bad_share=0.2))
    assert len(odd) >= end.ledger.written


def test_a_file_into_a_checking_sink(make: Any, data: Callable[..., str]) -> None:
    flow = make(ODD, tests={"sink"}, sink={}, output=make().input)
    flow.write(data(1000, x=lambda i: "?" if i == 500 else i))
    end = flow.run()
    assert (end.reason, end.ledger) == (
        Reason.COMPLETED,
        Ledger(read=1000, written=500, filtered=499, dead_lettered=1),
    )
    assert flow.published() == {"dead.jsonl"}
    assert flow.records("dead.jsonl")[0]["position"] == 501


def test_made_up_records_into_a_file_and_dead_letters_nowhere(make: Any) -> None:
    flow = make(SAME, tests={"source", "dead"}, source=generated(3000, bad_share=0.1), dead_letters={})
    flow.output = flow.input
    end = flow.run()
    good = records(3000, bad_share=0.1)
    assert end.ledger == Ledger(read=3000, written=len(good), dead_lettered=3000 - len(good))
    assert flow.published() == {"out.jsonl"}
    assert flow.records() == good
    manifest = json.loads(flow.path("out.jsonl.manifest.json").read_text())
    assert manifest["ledger"]["deadLettered"] == 3000 - len(good)
    assert "position" not in manifest


def test_too_many_bad_records_end_the_flow(make: Any) -> None:
    flow = make(SAME, tests=ALL, source=generated(1000, bad_share=0.2), sink={}, dead_letters={}, max_ratio=0.1)
    end = flow.run()
    assert (end.reason, completion.exit_code(end)) == (Reason.TOO_MANY_DEAD_LETTERS, completion.BAD_INPUT)
    assert "step 'decode'" in end.message


def test_a_bad_record_that_has_no_place_ends_the_flow(make: Any) -> None:
    flow = make(SAME, tests=BOTH, source=generated(1000, bad_share=0.2), sink={}, dead_letters=None)
    assert flow.run().reason is Reason.TOO_MANY_DEAD_LETTERS


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("tests", [BOTH, frozenset({"source"})], ids=["checked", "file"])
def test_a_stream_without_end_is_drained(make: Any, tests: frozenset[str]) -> None:
    sink = {} if "sink" in tests else {"path": "out.jsonl", "format": "json-lines"}
    flow = make(SAME, tests=tests, source=generated(rate=2000), sink=sink)
    flow.output = flow.input
    ends: list[Completion] = []
    thread = threading.Thread(target=lambda: ends.append(flow.run()), daemon=True)
    thread.start()
    _until(lambda: flow.board.progress().ledger.written >= 500)
    assert flow.board.progress().total is None
    flow.board.ask(control.Wish.DRAIN)
    thread.join(30)
    (end,) = ends
    assert (end.reason, end.is_success, end.total) == (Reason.DRAINED, True, end.ledger.read)
    assert end.ledger == Ledger(read=end.ledger.read, written=end.ledger.read)
    assert end.message == f"drained: all {end.ledger.read} records that the source had are in the result"
    if "sink" not in tests:
        assert flow.records() == records(end.ledger.read)
        manifest = json.loads(flow.path("out.jsonl.manifest.json").read_text())
        assert manifest["position"] == {"records": end.ledger.read}


def test_a_stream_that_is_killed_begins_anew_with_the_first_record(make: Any) -> None:
    flow = make(SAME, tests={"source"}, source=generated(rate=2000))
    flow.output = flow.input
    program = flow.start("uid-1")
    _until(lambda: any(path.stat().st_size > 0 for path in flow.folder.glob(".out.jsonl.jtest.uid-1.part")))
    program.kill()
    program.wait(timeout=10)
    ends: list[Completion] = []
    thread = threading.Thread(target=lambda: ends.append(flow.run("uid-2")), daemon=True)
    thread.start()
    _until(lambda: flow.board.progress().ledger.written >= 100)
    flow.board.ask(control.Wish.DRAIN)
    thread.join(30)
    (end,) = ends
    assert end.reason is Reason.DRAINED
    assert flow.records() == records(end.ledger.read)
    assert flow.published() == {"out.jsonl", "dead.jsonl"}


def test_the_rate_of_a_batch_is_kept(make: Any) -> None:
    began = time.monotonic()
    end = make(SAME, tests=BOTH, source=generated(100, rate=100), sink={}).run()
    assert (end.ledger.read, time.monotonic() - began > 0.99) == (100, True)


FAULTS: Final = {
    "lose-batch": "gap: 256 of the first 768 records did not come, and no step has ended them: 257 to 512",
    "lose-and-double": "gap: 256 of the first 768 records did not come, and no step has ended them: 257 to 512",
    "double-batch": "duplicate: record 257 came again, behind record 512",
    "swap-records": "order: record 267 came behind record 268",
}
"""Fault of the broken engine -> words of the message."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", ["file", "test"])
def test_a_broken_engine_is_found_by_the_sink(
    make: Any, data: Callable[..., str], broken_bento: str, fault: str, source: str
) -> None:
    more = {"tests": BOTH, "source": generated(1000)} if source == "test" else {"tests": {"sink"}}
    flow = make(MapStep(name=fault, mapping="root = this"), sink={}, **more)
    flow.bento = broken_bento
    if source == "file":
        flow.write(data(1000))
    end = flow.run()
    assert (end.reason, end.message) == (Reason.SINK_CHECK_FAILED, FAULTS[fault])
    assert completion.exit_code(end) == completion.BAD_INPUT
    assert flow.published() == set()


def test_the_last_batch_is_missed_too(make: Any, broken_bento: str) -> None:
    flow = make(MapStep(name="lose-batch", mapping="root = this"), tests=BOTH, source=generated(512), sink={})
    flow.bento = broken_bento
    end = flow.run()
    words = "gap: 256 of the first 512 records did not come, and no step has ended them: 257 to 512"
    assert (end.reason, end.message) == (Reason.SINK_CHECK_FAILED, words)


def test_a_test_sink_that_counts_wrongly_is_found_by_the_ledger(make: Any, broken_bento: str) -> None:
    flow = make(MapStep(name="miscount-written", mapping="root = this"), tests=BOTH, source=generated(1000), sink={})
    flow.bento = broken_bento
    end = flow.run()
    assert (end.reason, "1000 records in the sink of 1001 written" in end.message) == (Reason.ACCOUNTING_MISMATCH, True)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(
    seed=st.integers(0, 2**53 - 1),
    count=st.sampled_from([1, 2, 255, 256, 257, 700, 2000]),
    bad_share=st.sampled_from([0.0, 1.0]) | st.floats(0, 1),
    is_filtered=st.booleans(),
    tests=st.sets(st.sampled_from(["sink", "dead"])),
)
def test_counts_and_ledger_for_any_share_of_bad_records(
    bento: str, *, seed: int, count: int, bad_share: float, is_filtered: bool, tests: set[str]
) -> None:
    steps: tuple[Step, ...] = (ODD,) if is_filtered else (SAME,)
    with tempfile.TemporaryDirectory() as folder:
        flow = Flow(
            folder=Path(folder),
            bento=bento,
            steps=steps,
            tests=frozenset({"source", *tests}),
            source=generated(count, seed=seed, bad_share=bad_share),
            sink={} if "sink" in tests else {"path": "out.jsonl", "format": "json-lines"},
            dead_letters={} if "dead" in tests else LETTERS,
        )
        flow.output = flow.input
        end = flow.run()
        good = records(count, seed=seed, bad_share=bad_share)
        # Bloblang's remainder has the sign of what is divided, as C's has
        kept = [record for record in good if not is_filtered or (record["id"] > 0 and record["id"] % 2 == 1)]
        assert (end.reason, end.message, end.total) == (Reason.COMPLETED, "", count)
        assert end.ledger == Ledger(
            read=count, written=len(kept), dead_lettered=count - len(good), filtered=len(good) - len(kept)
        )
        if "sink" not in tests:
            assert flow.records() == kept
