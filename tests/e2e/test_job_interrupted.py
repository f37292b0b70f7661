"""Jobs that are cancelled while they are installed or score."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import pytest

from scheduler.client.scheduling import JobJson
from scheduler.demo.installation import NAMESPACE, OPERATOR
from scheduler.model.job import JobState, Reason
from tests.e2e import recipes
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

GONE_SECONDS: Final = 60
"""From a cancel until nothing of the job is left."""
MANY: Final = 100_000
HELM: Final = Recipe(name="helm")
LOADING: Final = Recipe(name="loading", artifact=recipes.SLOW_TO_LOAD)
SCORING: Final = Recipe(name="scoring", artifact=recipes.SLEEP)


@pytest.fixture(scope="module")
def started(jobs: Jobs) -> Mapping[str, JobJson]:
    """The jobs that take long until their moment comes, under way together."""
    for recipe, count in ((LOADING, 10), (SCORING, MANY)):
        jobs.give(recipe, recipe.source_of(recipes.rows(count)))
    return {recipe.name: jobs.start(recipe) for recipe in (SCORING, LOADING)}


def _assert_cancelled(jobs: Jobs, job_id: str, *, asked: float, tasks: set[str]) -> None:
    job = jobs.finish(job_id)
    assert time.monotonic() - asked < GONE_SECONDS
    assert job["task"] in tasks
    by = f"cancelled by system:serviceaccount:{NAMESPACE}:{OPERATOR}"
    jobs.assert_ended(job, state=JobState.CANCELLED, reason=Reason.CANCELLED, task=job["task"], words=(by,))
    assert jobs.client.cancel(job_id)["state"] == "CANCELLED", "again is fine"


def test_a_job_is_cancelled_while_it_scores(jobs: Jobs, started: Mapping[str, JobJson]) -> None:
    job_id = started["scoring"]["id"]
    before = jobs.until(job_id, lambda job: job["state"] == "RUNNING" and (job["records"] or {}).get("read", 0) > 0)
    assert before["task"] == "wait"

    asked = time.monotonic()
    assert jobs.client.cancel(job_id)["state"] == "CANCELLING"

    _assert_cancelled(jobs, job_id, asked=asked, tasks={"wait"})
    assert jobs.published(SCORING) == set()


def test_a_job_is_cancelled_while_its_model_loads(jobs: Jobs, started: Mapping[str, JobJson]) -> None:
    job_id = started["loading"]["id"]
    before = jobs.until(job_id, lambda job: job["task"] == "wait")
    assert before["state"] == "INSTALLING"

    asked = time.monotonic()
    assert jobs.client.cancel(job_id)["state"] == "CANCELLING"

    _assert_cancelled(jobs, job_id, asked=asked, tasks={"wait"})
    assert jobs.published(LOADING) == set()


def test_a_job_is_cancelled_while_helm_installs_it(jobs: Jobs) -> None:
    job_id = jobs.start(HELM)["id"]
    jobs.until(job_id, lambda job: job["state"] == "INSTALLING")

    asked = time.monotonic()
    jobs.client.cancel(job_id)

    _assert_cancelled(jobs, job_id, asked=asked, tasks={"install", "wait"})


def test_a_job_is_cancelled_before_it_starts(jobs: Jobs) -> None:
    """Whatever was begun by then is taken away as well."""
    job_id = jobs.start(HELM)["id"]
    asked = time.monotonic()
    jobs.client.cancel(job_id)
    job = jobs.finish(job_id)
    assert time.monotonic() - asked < GONE_SECONDS
    assert (job["state"], job["reason"]) == ("CANCELLED", "Cancelled")
    assert job["cleanup"] in {"CLEAN", "NOT_NEEDED"}
    jobs.assert_nothing_left(job_id)
