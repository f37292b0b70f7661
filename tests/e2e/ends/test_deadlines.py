"""Jobs that are late in one of their phases."""

from __future__ import annotations

import pytest

from scheduler.demo import check
from tests.e2e.ends import verdict
from tests.e2e.ends.cases import CASES
from tests.e2e.ends.control_cases import MANY
from tests.e2e.ends.end import End
from tests.e2e.ends.running import Running
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({}, id="ready", marks=pytest.mark.end("ready-deadline")),
        pytest.param({"records": str(MANY)}, id="run", marks=pytest.mark.end("run-deadline")),
    ],
)
def test_a_job_that_is_late_is_ended_and_removed(jobs: Jobs, ended: Running, end: End, known: dict[str, str]) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe, **known)


@pytest.mark.end("install-deadline")
def test_an_installation_that_cannot_begin_ends_the_job(jobs: Jobs, ended: Running, end: End) -> None:
    job = ended[end.id]
    verdict.assert_ended(jobs, job, end, recipe=CASES[end.id].recipe, held=f"{job['id']}-held")


@pytest.mark.end("finish-deadline")
def test_a_result_stays_when_its_release_does_not_go(jobs: Jobs, ended: Running, end: End) -> None:
    job = ended[end.id]
    verdict.assert_ended(jobs, job, end, recipe=CASES[end.id].recipe)
    assert job["leftovers"] == [f"ConfigMap/{job['id']}-held"]
    assert check.leftovers(jobs.platform, job["id"]) == [], "it was let go afterwards"
