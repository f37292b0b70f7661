"""The script that recomputes a demonstration job from its files sees each way in which they can be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import joblib
import pytest

from scheduler.demo import check, flights, recount, train

ROWS: Final = 4000
Sink = list[dict[str, Any]]
Right = tuple[Path, Sink, Any]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Right:
    """Source, what a right job makes of it, and the model."""
    source = tmp_path_factory.mktemp("demo") / "flights.csv"
    text = "".join(flights.source_csv().splitlines(keepends=True)[: ROWS + 1])
    source.write_text(text)
    model = train.fit(text)
    departed = [row for row in flights.rows(text) if row["dep_time"]]
    probabilities = model.predict_proba([train.features(row) for row in departed])[:, 1]
    sink = [
        {**row, "flight": int(row["flight"]), "probability": float(found), "late": bool(found >= 0.5)}
        for row, found in zip(departed, probabilities, strict=True)
    ]
    return source, sink, model


def _recount(right: Right, sink: Sink, folder: Path) -> dict[str, Any]:
    source, _, model = right
    file = folder / "delays.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in sink))
    return recount.recount(source, file, model)


def test_a_right_result_is_right(right: Right, tmp_path: Path) -> None:
    found = _recount(right, right[1], tmp_path)
    assert (found["right"], found["read"], found["written"]) == (True, ROWS, len(right[1]))
    assert found["filtered"] == ROWS - len(right[1]) > 0
    arrived = sum(bool(record["arr_delay"]) for record in right[1])
    assert sum(found["confusion"].values()) == arrived


def _without_departure(sink: Sink) -> Sink:
    return [*sink, {**sink[0], "flight": 0}]


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("missing", lambda sink: sink[1:]),
        ("doubled", lambda sink: [*sink, sink[0]]),
        ("strangers", _without_departure),
        ("wrongProbabilities", lambda sink: [{**sink[0], "probability": sink[0]["probability"] + 2e-9}, *sink[1:]]),
        ("wrongProbabilities", lambda sink: [{**sink[0], "probability": float("nan"), "late": False}, *sink[1:]]),
        ("contradictions", lambda sink: [{**sink[0], "late": not sink[0]["late"]}, *sink[1:]]),
    ],
)
def test_each_fault_is_counted(right: Right, tmp_path: Path, fault: str, change: Callable[[Sink], Sink]) -> None:
    found = _recount(right, change(right[1]), tmp_path)
    assert found["right"] is False
    assert found[fault] == 1


def test_a_file_that_is_no_result_is_not_right(right: Right, tmp_path: Path) -> None:
    assert _recount(right, [], tmp_path)["missing"] == len(right[1])
    joblib.dump(right[2], tmp_path / "delay.joblib")
    (tmp_path / "cut.jsonl").write_text('{"time_hour": ')
    found = check.recount(right[0], tmp_path / "cut.jsonl", tmp_path / "delay.joblib")
    assert found["right"] is False
    assert "JSONDecodeError" in found["error"]


def test_it_imports_nothing_of_the_package(tmp_path: Path) -> None:
    names = "import sys, runpy; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-c", names, str(check.RECOUNT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60)
    assert "joblib" in done.stdout.split()
    assert [name for name in done.stdout.split() if name.partition(".")[0] == "scheduler"] == []
