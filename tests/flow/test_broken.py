"""A runner whose engine is broken on purpose: FAILED(AccountingMismatch) with the cause in words, nothing published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.flow import completion, parts
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import FilterStep, MapStep, OnError

pytestmark = [pytest.mark.bento, pytest.mark.timeout(900)]

ROWS = 1000
MOST = FilterStep(name="most", condition="this.id != 7")
FAULTS = {
    "lose-batch": "read does not equal its parts: 1000 read, 743 written, 0 dead letters, 0 dropped, 1 filtered",
    "double-batch": "record 257 (line 258) came to an end twice",
    "lose-and-double": "record 513 (line 514) came to an end twice",
    "lose-record": "998 records in the sink of 999 written",
    "lose-uncounted": "read does not equal its parts: 1000 read, 998 written",
    "double-record": "1000 records in the sink of 999 written",
    "miscount-read": "1001 records read of 1000 in the source",
    "miscount-written": "999 records in the sink of 1000 written",
    "miscount-dead-letters": "0 dead letters in the file of 1 written",
    "miscount-filtered": "read does not equal its parts: 1000 read, 999 written, 0 dead letters, 0 dropped, 2 filtered",
    "miscount-dropped": "read does not equal its parts: 1000 read, 999 written, 0 dead letters, 1 dropped, 1 filtered",
    "forget-counters": "of 1000 in the source",
    "cut-file": "is not what was written",
    "cut-record": "998 records in the sink of 999 written",
    "change-byte": "is not what was written",
}
"""Fault -> words of the message."""


def step(fault: str) -> MapStep:
    return MapStep(name=fault, mapping="root = this")


@pytest.fixture
def flow(make: Any, data: Callable[..., str], broken_bento: str) -> Callable[..., Any]:
    def made(*steps: Any, **more: Any) -> Any:
        flow = make(*steps, **more)
        flow.bento = broken_bento
        flow.write(data(ROWS))
        return flow

    return made


def test_the_broken_build_is_sound_where_no_step_asks_for_a_fault(flow: Callable[..., Any]) -> None:
    run = flow(MOST, step("same"))
    end = run.run()
    assert (end.reason, end.ledger) == (Reason.COMPLETED, Ledger(read=ROWS, written=ROWS - 1, filtered=1))
    assert [record["id"] for record in run.records()] == [i for i in range(ROWS) if i != 7]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_publishes_nothing(flow: Callable[..., Any], fault: str) -> None:
    run = flow(MOST, step(fault))
    end = run.run()
    assert (end.reason, FAULTS[fault] in end.message) == (Reason.ACCOUNTING_MISMATCH, True), end.message
    assert run.published() == set()
    assert completion.exit_code(end) == completion.BAD_INPUT
    assert b'"reason":"AccountingMismatch"' in completion.to_json(end)


def test_a_failed_run_leaves_the_result_of_the_run_before(flow: Callable[..., Any]) -> None:
    good = flow(step("same"))
    assert good.run("uid-1").reason is Reason.COMPLETED
    before = {name: good.path(name).read_bytes() for name in ("out.jsonl", "out.jsonl.manifest.json", "dead.jsonl")}
    assert flow(step("double-batch")).run("uid-2").reason is Reason.ACCOUNTING_MISMATCH
    assert {name: good.path(name).read_bytes() for name in before} == before


@pytest.mark.parametrize("on_error", [OnError.DROP, OnError.DEAD_LETTER])
def test_a_record_that_fails_twice_ends_the_flow(flow: Callable[..., Any], on_error: OnError) -> None:
    """A doubled batch is found wherever its records end: dropped, dead, or filtered behind the fault."""
    strict = MapStep(name="strict", mapping='root = throw("no")', on_error=on_error)
    end = flow(step("double-batch"), strict).run()
    assert (end.reason, "twice" in end.message) == (Reason.ACCOUNTING_MISMATCH, True), end.message


def test_a_record_that_is_filtered_twice_ends_the_flow(flow: Callable[..., Any]) -> None:
    end = flow(step("double-batch"), FilterStep(name="none", condition="false")).run()
    assert (end.reason, "twice" in end.message) == (Reason.ACCOUNTING_MISMATCH, True), end.message


def test_files_that_are_never_closed_are_no_result(flow: Callable[..., Any]) -> None:
    run = flow(step("never-closed"))
    end = run.run()
    assert (end.reason, end.message) == (Reason.FLOW_CRASHED, "the stream ended without closing its files")
    assert run.published() == set()


@pytest.mark.parametrize("name", ["sink", "dead_letters"])
def test_a_file_cut_after_fsync(
    make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The digest is that of the file as it is on disk behind the last fsync."""
    real = parts._sync

    def cut(path: Path) -> None:
        real(path)
        if path.name.startswith(".out.jsonl.jtest" if name == "sink" else ".dead.jsonl"):
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size - 1)

    monkeypatch.setattr(parts, "_sync", cut)
    run = make(MapStep(name="same", mapping="root = this"))
    run.write(data(10) + "eleven,1,n\n")
    end = run.run()
    target = "out.jsonl" if name == "sink" else "dead.jsonl"
    assert (end.reason, f"{target}: the file on disk" in end.message) == (Reason.ACCOUNTING_MISMATCH, True)
    assert run.published() == set()
