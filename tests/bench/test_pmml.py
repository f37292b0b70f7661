"""Rows a second of a PMML model and of its scikit-learn original behind our server, beside bare loops over the rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tests.bench import bare, load, models, servers
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
    trained = models.trained(tmp_path, count=bench.size(short=512, full=6000))
    for type_, suffix, alone in (
        ("pmml", "pmml", _checked(bare.pmml_loop(tmp_path / "model.pmml", trained.rows.tolist()), trained)),
        ("python-binary", "joblib", lambda: _bare_joblib(trained)),
    ):
        served_rate, bare_rate = _rates(bench, trained, type_=type_, suffix=suffix, alone=alone)
        bench.figure(f"{type_}, served", served_rate, "rows/s")
        bench.figure(f"{type_}, bare loop", bare_rate, "rows/s")
        goal = 0.8 if type_ == "pmml" else None
        bench.figure(f"{type_}, served / bare loop", served_rate / bare_rate, "times", at_least=goal)


def _rates(
    bench: Bench, trained: Trained, *, type_: str, suffix: str, alone: Callable[[], object]
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
            alone()
        answered = np.concatenate([np.ravel(answer) for answer in warm.answers])
        np.testing.assert_allclose(answered, trained.expected[:count], rtol=0, atol=1e-12)
        served, bare_ = [], []
        for _ in range(bench.size(short=1, full=9)):
            served.append(load.exchange(port, bodies, connections=1).seconds)
            bare_.append(load.quickest(alone, times=1))
    return count / statistics.median(served), len(trained.rows) / statistics.median(bare_)


def _bare_joblib(trained: Trained) -> None:
    for start in range(0, len(trained.rows), BATCH):
        trained.model.predict_proba(trained.rows[start : start + BATCH])


def _checked(loop: Callable[[], list[float]], trained: Trained) -> Callable[[], object]:
    np.testing.assert_allclose(loop(), trained.expected, rtol=0, atol=1e-12)
    return loop
