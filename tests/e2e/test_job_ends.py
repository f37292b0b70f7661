"""How jobs end by themselves, well or badly: they run side by side, and each test looks at one of them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Final

import joblib
import pytest
from sklearn.linear_model import LinearRegression

from scheduler.client.scheduling import JobJson
from scheduler.demo.installation import NAMESPACE
from scheduler.model.job import JobState, Reason
from tests.e2e import recipes, support
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ROWS: Final = 1000
MIDDLE: Final = recipes.BATCH + recipes.BATCH // 2
"""The record in the middle of the second batch."""
STORED: Final = "/var/lib/modelops/artifacts"


def _estimator() -> bytes:
    file = io.BytesIO()
    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), file)
    return file.getvalue()


MAPPED: Final = Recipe(
    name="mapped", steps=(recipes.DROP_EMPTY, recipes.failing(MIDDLE), recipes.SCORE), max_ratio=0.01
)
BINARY: Final = Recipe(
    name="binary", model_type="python-binary", artifact=_estimator(), format="json-lines", is_gzip=True
)
PMML: Final = Recipe(name="pmml", model_type="pmml", artifact=recipes.PMML)
POISON: Final = Recipe(name="poison", artifact=recipes.REFUSES_13, max_ratio=0.01)
DROPPED: Final = Recipe(name="dropped", steps=({**recipes.failing(1, MIDDLE, ROWS), "onError": "drop"}, recipes.SCORE))
TOO_MANY: Final = Recipe(name="too-many", steps=(recipes.failing(*range(300, 311)), recipes.SCORE), max_ratio=0.01)
NO_LETTERS: Final = Recipe(name="no-letters", steps=(recipes.failing(MIDDLE), recipes.SCORE))
FAIL: Final = Recipe(name="fail", steps=({**recipes.failing(MIDDLE), "onError": "fail"}, recipes.SCORE), max_ratio=1.0)
NO_SOURCE: Final = Recipe(name="no-source")
CUT: Final = Recipe(name="cut", format="json-lines", is_gzip=True)
NO_VOLUME: Final = Recipe(name="no-volume", volume="e2e-nothing")
CORRUPT: Final = Recipe(name="corrupt", model_type="python-binary", artifact=b"this is no pickle")
DAMAGED: Final = Recipe(name="damaged", artifact=b"# of this job alone\n" + recipes.DOUBLE, is_uploaded=False)
ALL: Final = (
    *(MAPPED, BINARY, PMML, POISON, DROPPED, TOO_MANY, NO_LETTERS, FAIL, NO_SOURCE, CUT, NO_VOLUME, CORRUPT),
    DAMAGED,
)


@pytest.fixture(scope="module")
def ended(jobs: Jobs) -> Mapping[str, JobJson]:
    """Every recipe's finished job."""
    for recipe in ALL:
        jobs.give(recipe, recipe.source_of(recipes.rows(ROWS)))
    jobs.give(MAPPED, MAPPED.source_of(recipes.without_values(recipes.rows(ROWS + 2), ROWS + 1, ROWS + 2)))
    jobs.give(CUT, CUT.source_of(recipes.rows(20_000))[:-5000])
    jobs.give(NO_SOURCE, None)
    _damage(jobs)
    return jobs.run_all({recipe.name: recipe for recipe in ALL})


def _damage(jobs: Jobs) -> None:
    """Change the model's bytes behind the back of the artifact store."""
    jobs.upload(DAMAGED.artifact, sha256=DAMAGED.sha256)
    path = f"{STORED}/{DAMAGED.sha256[:2]}/{DAMAGED.sha256}"
    server = jobs.platform.objects("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=modelops-server")[0]
    change = f"chmod u+w {path} && printf 'import os' >> {path} && chmod u-w {path}"
    jobs.platform.kubectl("-n", NAMESPACE, "exec", server["metadata"]["name"], "--", "sh", "-c", change)


def _assert_scored(jobs: Jobs, recipe: Recipe, *, without: frozenset[int] = frozenset()) -> None:
    """Every record but these is in the sink once, in order, with the right score; the manifest tells the same."""
    kept = [number for number in range(1, ROWS + 1) if number not in without]
    assert [(row["id"], row["score"]) for row in jobs.lines(recipe.sink)] == [(number, number) for number in kept]
    manifest = json.loads(jobs.files.get(f"{recipe.sink}.manifest.json"))
    assert manifest["digest"] == "sha256:" + hashlib.sha256(jobs.files.get(recipe.sink)).hexdigest()
    assert manifest["ledger"]["written"] == len(kept)


def _assert_nothing_published(jobs: Jobs, recipe: Recipe) -> None:
    assert jobs.published(recipe) == set()


def test_one_record_that_fails_in_a_map_costs_one_record(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    job = ended["mapped"]
    jobs.assert_ended(job, state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(job) == {"read": ROWS + 2, "written": ROWS - 1, "deadLettered": 1, "filtered": 2}
    _assert_scored(jobs, MAPPED, without=frozenset({MIDDLE}))
    (letter,) = jobs.lines(MAPPED.rejects)
    assert (letter["step"], letter["position"], letter["line"]) == ("flow.prepare", MIDDLE, MIDDLE + 1)
    assert "no good record" in letter["reason"]
    assert letter["record"] == {"id": str(MIDDLE), "value": str(MIDDLE / 2)}
    assert jobs.published(MAPPED) == {MAPPED.sink, f"{MAPPED.sink}.manifest.json", MAPPED.rejects}


def test_a_scikit_learn_model_scores_gzipped_json_lines(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    jobs.assert_ended(ended["binary"], state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(ended["binary"]) == {"read": ROWS, "written": ROWS}
    scores = [row["score"] for row in jobs.lines(BINARY.sink)]
    assert scores == pytest.approx(range(1, ROWS + 1), rel=1e-12)


def test_a_pmml_model_scores(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    jobs.assert_ended(ended["pmml"], state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(ended["pmml"]) == {"read": ROWS, "written": ROWS}
    _assert_scored(jobs, PMML)


def test_one_record_that_the_model_refuses_costs_one_record(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    """The model answers for a whole batch; the record is found in it."""
    jobs.assert_ended(ended["poison"], state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(ended["poison"]) == {"read": ROWS, "written": ROWS - 1, "deadLettered": 1}
    _assert_scored(jobs, POISON, without=frozenset({26}))
    (letter,) = jobs.lines(POISON.rejects)
    assert (letter["step"], letter["position"]) == ("flow.score", 26)
    assert "13 is no value" in letter["reason"]


def test_records_that_a_step_drops_are_counted(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    jobs.assert_ended(ended["dropped"], state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(ended["dropped"]) == {"read": ROWS, "written": ROWS - 3, "dropped": 3}
    _assert_scored(jobs, DROPPED, without=frozenset({1, MIDDLE, ROWS}))


def test_more_dead_letters_than_allowed_publish_nothing(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    words = ("11 of 1000 records are dead letters", "flow.prepare", "record 300", "no good record")
    jobs.assert_ended(
        ended["too-many"], state=JobState.FAILED, reason=Reason.TOO_MANY_DEAD_LETTERS, task="wait", words=words
    )
    _assert_nothing_published(jobs, TOO_MANY)


def test_without_a_place_for_dead_letters_the_first_one_is_too_many(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    words = ("flow.prepare", f"record {MIDDLE}", "no good record")
    jobs.assert_ended(
        ended["no-letters"], state=JobState.FAILED, reason=Reason.TOO_MANY_DEAD_LETTERS, task="wait", words=words
    )
    _assert_nothing_published(jobs, NO_LETTERS)


def test_a_step_that_may_not_fail_ends_the_job(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    words = ("flow.prepare", f"record {MIDDLE}", "no good record")
    jobs.assert_ended(ended["fail"], state=JobState.FAILED, reason=Reason.RECORD_FAILED, task="wait", words=words)
    _assert_nothing_published(jobs, FAIL)


def test_a_source_that_is_not_there_is_named(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    words = (NO_SOURCE.source, "No such file")
    jobs.assert_ended(ended["no-source"], state=JobState.FAILED, reason=Reason.SOURCE_MISSING, task="wait", words=words)
    _assert_nothing_published(jobs, NO_SOURCE)


def test_a_source_that_is_cut_short_is_damaged(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    jobs.assert_ended(
        ended["cut"], state=JobState.FAILED, reason=Reason.SOURCE_DAMAGED, task="wait", words=(CUT.source,)
    )
    _assert_nothing_published(jobs, CUT)


def test_a_volume_that_is_not_there_is_named(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    words = ("PersistentVolumeClaim 'e2e-nothing'", "does not exist")
    jobs.assert_ended(ended["no-volume"], state=JobState.FAILED, reason=Reason.VOLUME_MISSING, task="wait", words=words)


def test_a_model_that_does_not_load_is_corrupt(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    jobs.assert_ended(
        ended["corrupt"], state=JobState.FAILED, reason=Reason.MODEL_CORRUPT, task="wait", words=("container",)
    )
    _assert_nothing_published(jobs, CORRUPT)


def test_a_model_whose_bytes_have_changed_is_never_run(jobs: Jobs, ended: Mapping[str, JobJson]) -> None:
    words = (DAMAGED.sha256, "damaged in the store")
    jobs.assert_ended(
        ended["damaged"], state=JobState.FAILED, reason=Reason.MODEL_DIGEST_MISMATCH, task="wait", words=words
    )
    _assert_nothing_published(jobs, DAMAGED)
    assert not jobs.store.has_artifact(DAMAGED.sha256)
    jobs.upload(DAMAGED.artifact, sha256=DAMAGED.sha256)
    assert jobs.store.has_artifact(DAMAGED.sha256)
