"""Rows a second of a PMML model and of its scikit-learn original behind our server, beside bare loops over the rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tests.bench import load, models, servers
from tests.bench.models import Trained
from tests.bench.record import Bench

pytestmark = [pytest.mark.java, pytest.mark.timeout(300)]

BATCH: Final = 256


def test_batches(bench: Bench, tmp_path: Path) -> None:
    bench.of(
        "PMML and joblib, batches",
        f"100 trees on 12 columns behind the scoring server, {BATCH} rows a request as a flow sends them, one "
        "connection; beside it the same rows through the library alone: "
        "PMML4S called row by row through JPype, and scikit-learn's "
        "`predict_proba` on the same batches. Runs alternate.",
    )
    trained = models.trained(tmp_path)
    for type_, suffix, bare in (
        ("pmml", "pmml", _bare_pmml(trained)),
        ("python-binary", "joblib", lambda: _bare_joblib(trained)),
    ):
        served, alone = _rates(bench, trained, type_=type_, suffix=suffix, bare=bare)
        bench.figure(f"{type_}, served", served, "rows/s")
        bench.figure(f"{type_}, bare loop", alone, "rows/s")
        goal = 0.8 if type_ == "pmml" else None
        bench.figure(f"{type_}, served / bare loop", served / alone, "times", at_least=goal)


def _rates(
    bench: Bench, trained: Trained, *, type_: str, suffix: str, bare: Callable[[], object]
) -> tuple[float, float]:
    """Rows a second behind the server and in a bare loop, the middle of runs that alternate."""
    count = len(trained.rows) // BATCH * BATCH
    bodies = [models.columns(trained.rows[start : start + BATCH]) for start in range(0, count, BATCH)]
    file = trained.folder / f"model.{suffix}"
    with servers.modelops(
        trained.folder, file=file, type_=type_, inputs=models.INPUTS, outputs=models.PROBABILITY
    ) as port:
        for _ in range(bench.size(short=1, full=4)):  # the JVM compiles what is hot
            warm = load.exchange(port, bodies, connections=1)
            bare()
        answered = np.concatenate([np.ravel(answer) for answer in warm.answers])
        np.testing.assert_allclose(answered, trained.expected[:count], rtol=0, atol=1e-12)
        served, alone = [], []
        for _ in range(bench.size(short=1, full=9)):
            served.append(load.exchange(port, bodies, connections=1).seconds)
            alone.append(load.quickest(bare, times=1))
    return count / statistics.median(served), len(trained.rows) / statistics.median(alone)


def _bare_joblib(trained: Trained) -> None:
    for start in range(0, len(trained.rows), BATCH):
        trained.model.predict_proba(trained.rows[start : start + BATCH])


def _bare_pmml(trained: Trained) -> Callable[[], object]:
    """PMML4S called row by row through JPype, as one would do it first."""
    import jpype

    from scheduler.serving.runners import jvm

    jvm.start()
    model = jpype.JClass("org.pmml4s.model.Model").fromFile(str(trained.folder / "model.pmml"))
    index = [str(name) for name in model.outputNames()].index("probability_1")
    objects = jpype.JArray(jpype.JClass("java.lang.Object"))
    double = jpype.JClass("java.lang.Double")

    def loop() -> list[float]:
        return [float(model.predict(objects([double(value) for value in row]))[index]) for row in trained.rows.tolist()]

    np.testing.assert_allclose(loop(), trained.expected, rtol=0, atol=1e-12)
    return loop
