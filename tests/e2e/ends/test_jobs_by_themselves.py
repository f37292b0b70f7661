"""Jobs that come to their end by themselves, well or badly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.ends import verdict
from tests.e2e.ends.cases import CASES, MIDDLE
from tests.e2e.ends.end import End
from tests.e2e.ends.records import MANY
from tests.e2e.ends.running import ROWS, Running
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def _assert_scored(jobs: Jobs, recipe: Recipe, *, count: int = ROWS, without: frozenset[int] = frozenset()) -> None:
    """Every record but these is in the sink once, in order, with the right score; the manifest tells the same."""
    kept = [number for number in range(1, count + 1) if number not in without]
    found = [(int(row["id"]), float(row["score"])) for row in jobs.lines(recipe.sink)]
    assert found == [(number, number) for number in kept]
    manifest = json.loads(jobs.files.get(f"{recipe.sink}.manifest.json"))
    assert manifest["digest"] == "sha256:" + hashlib.sha256(jobs.files.get(recipe.sink)).hexdigest()
    assert manifest["ledger"]["written"] == len(kept)


@pytest.mark.end("record-fails-in-a-map")
def test_one_record_that_fails_in_a_map_costs_one_record(jobs: Jobs, ended: Running, end: End) -> None:
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe)
    _assert_scored(jobs, recipe, without=frozenset({MIDDLE}))
    (letter,) = jobs.lines(recipe.rejects)
    assert (letter["step"], letter["position"], letter["line"]) == ("flow.prepare", MIDDLE, MIDDLE + 1)
    assert "no good record" in letter["reason"]
    assert letter["record"] == {"id": str(MIDDLE), "value": str(MIDDLE / 2)}


@pytest.mark.end("python-binary-json-lines-gzip")
def test_a_scikit_learn_model_scores_from_gzip_to_gzip(jobs: Jobs, ended: Running, end: End) -> None:
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe)
    assert [row["score"] for row in jobs.lines(recipe.sink)] == pytest.approx(range(1, ROWS + 1), rel=1e-12)


@pytest.mark.end("pmml-csv-gzip")
def test_a_pmml_model_scores_csv(jobs: Jobs, ended: Running, end: End) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe)
    _assert_scored(jobs, CASES[end.id].recipe)


@pytest.mark.end("service-with-more-memory")
def test_what_is_told_to_help_against_too_little_memory_helps(jobs: Jobs, ended: Running, end: End) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe)
    _assert_scored(jobs, CASES[end.id].recipe)


@pytest.mark.end("record-the-model-refuses")
def test_one_record_that_the_model_refuses_costs_one_record(jobs: Jobs, ended: Running, end: End) -> None:
    """The model answers for a whole batch; the record is found in it."""
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe)
    _assert_scored(jobs, recipe, count=MANY, without=frozenset({26}))
    (letter,) = jobs.lines(recipe.rejects)
    assert (letter["step"], letter["position"]) == ("flow.score", 26)
    assert "13 is no value" in letter["reason"]


@pytest.mark.end("rows-that-do-not-fit-the-header")
def test_a_row_that_does_not_fit_the_header_is_a_dead_letter_with_its_line(
    jobs: Jobs, ended: Running, end: End
) -> None:
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe)
    _assert_scored(jobs, recipe, without=frozenset({MIDDLE, MIDDLE + 1}))
    assert [(letter["line"], letter["reason"]) for letter in jobs.lines(recipe.rejects)] == [
        (MIDDLE + 1, "the row has 3 fields, the header has 2"),
        (MIDDLE + 2, "the row has 1 fields, the header has 2"),
    ]


@pytest.mark.end("records-dropped")
def test_records_that_a_step_drops_are_counted(jobs: Jobs, ended: Running, end: End) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe)
    _assert_scored(jobs, CASES[end.id].recipe, without=frozenset({1, MIDDLE, ROWS}))


def _file(id_: str, attribute: str) -> dict[str, str]:
    return {attribute: str(getattr(CASES[id_].recipe, attribute))}


FAILURES: Final[Mapping[str, Mapping[str, str]]] = {
    "too-many-dead-letters": {},
    "dead-letter-without-a-channel": {"record": str(MIDDLE)},
    "record-that-may-not-fail": {"record": str(MIDDLE)},
    "source-missing": _file("source-missing", "source"),
    "gzip-truncated": _file("gzip-truncated", "source"),
    "volume-missing": _file("volume-missing", "volume"),
    "sink-not-writable": _file("sink-not-writable", "sink"),
    "model-corrupt": {},
    "model-of-another-kind": {},
    "service-crashes": {},
    "service-out-of-memory": {},
    "flow-out-of-memory": {},
}
"""Case -> what only the test knows of its message."""


@pytest.mark.parametrize(
    "known", [pytest.param(known, id=id_, marks=pytest.mark.end(id_)) for id_, known in FAILURES.items()]
)
def test_a_job_that_fails_tells_why_and_publishes_nothing(
    jobs: Jobs, ended: Running, end: End, known: Mapping[str, str]
) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe, **known)


@pytest.mark.end("disk-full")
def test_a_full_disk_keeps_nothing_of_the_result(jobs: Jobs, ended: Running, small: Path, end: End) -> None:
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe, sink=recipe.sink)
    assert list(small.iterdir()) == []


@pytest.mark.end("model-digest-mismatch")
def test_a_model_whose_bytes_have_changed_is_never_run(jobs: Jobs, ended: Running, end: End) -> None:
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe, sha256=recipe.sha256)
    assert not jobs.store.has_artifact(recipe.sha256)
    jobs.upload(recipe.artifact, sha256=recipe.sha256)
    assert jobs.store.has_artifact(recipe.sha256)
