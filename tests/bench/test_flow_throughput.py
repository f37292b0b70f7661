"""Records a second of the demonstration's flow, file to file, beside the engine alone and the models alone.

Engine, runner and scoring server share this machine's cores, as they share a node's. Every record's answer is checked.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from scheduler.demo import flights, train
from scheduler.model.pipeline import ScoringPipeline
from tests.bench import bare, flows, load
from tests.bench.flows import Ran
from tests.bench.record import Bench

pytestmark = [pytest.mark.bento, pytest.mark.timeout(600)]

_KEYS: Final = ("year", "month", "day", "carrier", "flight", "origin", "sched_dep_time")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The demonstration's, and the folder with its files."""
    folder = tmp_path_factory.mktemp("models")
    fitted = train.fit(flights.source_csv())
    train.write(fitted, folder)
    return fitted, folder


def test_joblib(bench: Bench, model: tuple[Any, Path], tmp_path: Path) -> None:
    source = _source(bench.size(short=20_000, full=400_000))
    count = source.count("\n") - 1
    bench.of(
        "Flow, joblib",
        f"{count:,} flights from CSV through decode, filter, map, 100 trees of scikit-learn behind their server, "
        "map, to JSON lines: from the runner's start to the published result, counted, on all cores; the middle of the "
        "runs. Beside it the engine alone: the same source and sink, of the steps the filter only.",
    )
    given = flows.pipeline(tmp_path / "ir", models=model[1], form="joblib")
    runs = bench.size(short=1, full=3)
    with flows.server(given, tmp_path / "ir") as port:
        ran = [flows.run(given, tmp_path / f"flow-{turn}", source=source, port=port) for turn in range(runs)]
    alone = _engine_alone(given, tmp_path, source, runs=runs)
    for one in ran:
        _check(one, source, model[0], count)
    rate = statistics.median(one.per_second for one in ran)
    bench.figure("flow with its model", rate, "records/s", at_least=40_000)
    bench.figure(
        "engine, processor time", statistics.median(o.engine_seconds for o in ran) / count * 1e6, "µs a record"
    )
    bench.figure("engine alone", alone, "records/s")
    bench.figure("flow / engine alone", rate / alone, "times")


@pytest.mark.java
def test_pmml(bench: Bench, model: tuple[Any, Path], tmp_path: Path) -> None:
    source = _source(bench.size(short=2_000, full=60_000))
    count = source.count("\n") - 1
    bench.of(
        "Flow, PMML",
        f"The first {count:,} flights through the same flow with the model as PMML, the last of three runs; beside "
        "it a bare loop that gives the same rows to PMML4S through JPype, one by one, the quickest of three times, and "
        "the engine alone, of the steps the filter only.",
    )
    given = flows.pipeline(tmp_path / "ir", models=model[1], form="pmml")
    loop = bare.pmml_loop(model[1] / "delay.pmml", flows.features(source))
    expected = model[0].predict_proba(flows.features(source))[:, 1]
    np.testing.assert_allclose(loop(), expected, rtol=0, atol=1e-9)
    with flows.server(given, tmp_path / "ir") as port:
        turns = bench.size(short=1, full=3)
        ran = [flows.run(given, tmp_path / f"flow-{turn}", source=source, port=port) for turn in range(turns)]
    engine = _engine_alone(given, tmp_path, source, runs=turns)
    for one in ran:
        _check(one, source, model[0], count)
    rate, alone = (
        ran[-1].per_second,
        len(flows.departed(source)) / load.quickest(loop, times=bench.size(short=1, full=3)),
    )
    bench.figure("flow with its model", rate, "records/s")
    bench.figure("bare loop", alone, "rows/s")
    bench.figure("flow / bare loop", rate / alone, "times", at_least=0.8)
    bench.figure("engine alone", engine, "records/s")


def _engine_alone(given: ScoringPipeline, folder: Path, source: str, *, runs: int) -> float:
    """Records a second of the same source and sink without the model; the middle of the runs, each of them right."""
    ran = [flows.run(flows.without_model(given), folder / f"bare-{turn}", source=source) for turn in range(runs)]
    for one in ran:
        assert one.end.total == source.count("\n") - 1
        assert one.end.ledger.written == len(flows.departed(source))
    return statistics.median(one.per_second for one in ran)


def _source(rows: int) -> str:
    """The first flights, or all of them, with the header."""
    return "".join(flights.source_csv().splitlines(keepends=True)[: rows + 1])


def _check(ran: Ran, source: str, model: Any, count: int) -> None:
    """Every flight that departed once, in order, its probability scikit-learn's."""
    rows = flows.departed(source)
    written = [json.loads(line) for line in ran.sink.read_text().splitlines()]
    assert (ran.end.total, ran.end.ledger.read, len(written)) == (count, count, len(rows))
    assert [[str(record[key]) for key in _KEYS] for record in written] == [[row[key] for key in _KEYS] for row in rows]
    expected = model.predict_proba(flows.features(source))[:, 1]
    assert max(abs(expected - [record["probability"] for record in written])) <= 1e-9
