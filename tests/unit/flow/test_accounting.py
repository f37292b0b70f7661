"""The ledger's checks: each broken term is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.flow import accounting
from scheduler.flow.config import Checked, File
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Ledger, Reason

ENGINE = Ledger(read=10, written=5, dead_lettered=2, dropped=1, filtered=2)


def take(sink: File | Checked, dead_letters: File | Checked | None, counted: Mapping[str, int] | None = None) -> Ledger:
    return accounting.take(ENGINE, sink=sink, dead_letters=dead_letters, counted=counted or {})


def test_files_are_counted_not_believed(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text('id,name\n1,"a\nb"\n2,c\n')
    (tmp_path / "dead.jsonl").write_text("{}\n")
    sink, dead = File(path=tmp_path / "out.csv", format="csv"), File(path=tmp_path / "dead.jsonl", format="json-lines")
    assert take(sink, dead) == replace(ENGINE, written=2, dead_lettered=1)
    assert take(sink, None) == replace(ENGINE, written=2, dead_lettered=0)


def test_what_stands_in_no_file_is_what_the_test_sink_counted(tmp_path: Path) -> None:
    (tmp_path / "dead.jsonl").write_text("{}\n")
    dead = File(path=tmp_path / "dead.jsonl", format="json-lines")
    assert take(Checked(), dead, {"sink": 4}) == replace(ENGINE, written=4, dead_lettered=1)
    assert take(Checked(), Checked(), {"sink": 4, "deadLetters": 3}) == replace(ENGINE, written=4, dead_lettered=3)
    assert take(Checked(), None) == replace(ENGINE, written=0, dead_lettered=0)


def test_what_agrees(tmp_path: Path) -> None:
    accounting.check(ENGINE, engine=ENGINE, total=10)


@pytest.mark.parametrize(
    ("ledger", "total", "words"),
    [
        (ENGINE, 11, "10 records read of 11 in the source"),
        (replace(ENGINE, filtered=1), 10, "read does not equal its parts: 10 read, 5 written"),
        (replace(ENGINE, written=4, filtered=3), 10, "4 records in the sink of 5 written"),
        (replace(ENGINE, dead_lettered=3, filtered=1), 10, "3 dead letters in the file of 2 written"),
    ],
)
def test_what_does_not(ledger: Ledger, total: int, words: str) -> None:
    with pytest.raises(FlowFailedError) as caught:
        accounting.check(ledger, engine=ENGINE, total=total)
    assert caught.value.reason is Reason.ACCOUNTING_MISMATCH
    assert words in str(caught.value)


def test_a_result_that_cannot_be_read_back(tmp_path: Path) -> None:
    with pytest.raises(FlowFailedError) as caught:
        take(File(path=tmp_path / "gone", format="csv"), None)
    assert caught.value.reason is Reason.ACCOUNTING_MISMATCH


@pytest.mark.parametrize(
    ("count", "total", "ratio", "is_fine"),
    [(0, 0, 0, True), (1, 100, 0.01, True), (2, 100, 0.01, False), (1, 1, 0, False)],
)
def test_ratio(count: int, total: int, ratio: float, is_fine: bool) -> None:
    if is_fine:
        accounting.check_dead_letters(count, total=total, max_ratio=ratio, first="")
        return
    with pytest.raises(FlowFailedError, match=f"{count} of {total} records are dead letters.*the first: x") as caught:
        accounting.check_dead_letters(count, total=total, max_ratio=ratio, first="x")
    assert caught.value.reason is Reason.TOO_MANY_DEAD_LETTERS


def test_the_few_first_records_of_a_stream_count_as_more() -> None:
    accounting.check_dead_letters(10, total=20, max_ratio=0.01, first="", at_least=1000)
    with pytest.raises(FlowFailedError, match="11 of 20 records are dead letters"):
        accounting.check_dead_letters(11, total=20, max_ratio=0.01, first="", at_least=1000)
