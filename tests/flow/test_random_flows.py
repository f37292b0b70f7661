"""Random flows over random sources: each term of the ledger, all files and dead letters, against plain Python."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from scheduler.flow.completion import Completion
from scheduler.model.job import Ledger
from scheduler.model.pipeline import Batch, FilterStep, MapStep, OnError, ScoreStep
from scheduler.model.pipeline import Step as RealStep
from tests.flow import flows, plain
from tests.flow.conftest import Flow, ScoringService
from tests.flow.flows import Case

pytestmark = [pytest.mark.bento, pytest.mark.timeout(300)]

EXAMPLES: Final = 50
_WHERE = re.compile(r"step '([^']+)', record (\d+) \(line (\d+)\): ")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(case=flows.cases())
def test_the_ledger_is_that_of_plain_python(bento: str, case: Case) -> None:
    check(case, bento)


def check(case: Case, bento: str) -> None:
    """Run the case with the real engine and a scoring service; AssertionError for any difference."""
    expected = plain.expect(case.rows, case.steps)
    service = ScoringService()
    service.refuses = lambda x: x == plain.POISON
    service.names_rows = case.names_rows
    service.statuses = list(case.outages)
    service.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            flow = _flow(case, Path(folder), bento, service.url)
            flow.write(case.content, case.source["path"])
            _compare(case, flow, flow.run(), expected)
    finally:
        service.stop()


def _flow(case: Case, folder: Path, bento: str, url: str) -> Flow:
    return Flow(
        folder=folder,
        bento=bento,
        steps=[_step(step, case.batch) for step in case.steps],
        url=url,
        source=case.source,
        sink=case.sink,
        dead_letters=case.dead_letters,
        max_ratio=case.max_ratio,
        run_seconds=30,
    )


def _step(step: plain.Step, batch: int) -> RealStep:
    on_error = OnError(step.on_error)
    if step.kind == "map":
        return MapStep(name=step.name, mapping=step.text, on_error=on_error)
    if step.kind == "filter":
        return FilterStep(name=step.name, condition=step.text, on_error=on_error)
    return ScoreStep(name=step.name, model="m", inputs=("x",), output="p", batch=Batch(count=batch), on_error=on_error)


def _compare(case: Case, flow: Flow, end: Completion, expected: plain.Expected) -> None:
    reasons = expected.reasons(max_ratio=case.allowed)
    assert end.reason.value in reasons, f"{end.reason}: {end.message}; expected {reasons}"
    assert end.total == expected.read
    if not end.is_success:
        assert flow.published() == set()
        _compare_culprit(end, expected)
        return
    assert end.ledger == Ledger(
        read=expected.read,
        written=len(expected.written),
        dead_lettered=len(expected.dead),
        dropped=expected.dropped,
        filtered=expected.filtered,
    )
    _compare_sink(flow, case.sink, expected.written)
    if case.dead_letters is not None:
        _compare_dead_letters(_records(flow, case.dead_letters), expected.dead)


def _compare_culprit(end: Completion, expected: plain.Expected) -> None:
    """The record that the message names is one that may have ended the flow: the first one of the dead letters."""
    found = _WHERE.search(end.message)
    assert found, end.message
    named = (found[1], int(found[2]), int(found[3]))
    if end.reason.value == "RecordFailed":
        assert named in expected.failed
    else:
        first = expected.dead[0]
        assert named == (first.step, first.position, first.line)


def _compare_sink(flow: Flow, sink: dict[str, str], expected: list[dict[str, Any]]) -> None:
    found = _records(flow, sink)
    assert len(found) == len(expected)
    for record, wanted in zip(found, expected, strict=True):
        if sink["format"] == "csv":
            cells = {name: wanted.get(name) for name in plain.FIELDS}
            assert {name: _read(name, cell) for name, cell in record.items()} == {
                name: None if value == "" else value for name, value in cells.items()
            }
        else:
            assert list(record.items()) == list(wanted.items())


def _read(name: str, cell: str) -> Any:
    if cell == "":
        return None
    return int(cell) if name == "id" else float(cell) if name in {"x", "p"} else cell


def _compare_dead_letters(found: list[dict[str, Any]], expected: list[plain.DeadLetter]) -> None:
    assert [
        (letter["step"], int(letter["position"]), int(letter["line"]), _parsed(letter["record"])) for letter in found
    ] == [(letter.step, letter.position, letter.line, letter.record) for letter in expected]
    for letter, wanted in zip(found, expected, strict=True):
        assert wanted.words in letter["reason"]


def _parsed(record: Any) -> Any:
    """A CSV file holds the record as JSON text."""
    try:
        return json.loads(record) if isinstance(record, str) and record[:1] in {'"', "{", "["} else record
    except ValueError:
        return record


def _records(flow: Flow, file: dict[str, str]) -> list[dict[str, Any]]:
    raw = flow.path(file["path"]).read_bytes()
    text = (gzip.decompress(raw) if file["compression"] == "gzip" else raw).decode()
    if file["format"] == "csv":
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    return [json.loads(line) for line in text.split("\n") if line]
