"""Jobs that are interrupted: cancelled while they are installed or score, and flows whose engine is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import pytest

from scheduler import names
from scheduler.client.scheduling import JobJson
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR
from scheduler.errors import ProgramError, UnavailableError
from scheduler.model.job import JobState, Reason
from tests.e2e import recipes, support
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

GONE_SECONDS: Final = 60
"""From a cancel until nothing of the job is left."""
MANY: Final = 100_000
SOME: Final = 20 * recipes.BATCH
KILL: Final = """
import os, pathlib, signal, sys
names = {path.parent.name: path.read_text().strip() for path in pathlib.Path("/proc").glob("[0-9]*/comm")}
found = [int(number) for number, name in names.items() if name == "bento"]
for number in found:
    os.kill(number, signal.SIGKILL)
sys.exit(not found)
"""
HELM: Final = Recipe(name="helm")
LOADING: Final = Recipe(name="loading", artifact=recipes.SLOW_TO_LOAD)
SCORING: Final = Recipe(name="scoring", artifact=recipes.SLEEP)
KILLED: Final = Recipe(name="killed", artifact=recipes.SLEEP)
CRASHING: Final = Recipe(name="crashing", artifact=recipes.SLEEP)


@pytest.fixture(scope="module")
def started(jobs: Jobs) -> Mapping[str, JobJson]:
    """The jobs that take long until their moment comes, under way together."""
    for recipe, count in ((LOADING, 10), (SCORING, MANY), (KILLED, SOME), (CRASHING, SOME)):
        jobs.give(recipe, recipe.source_of(recipes.rows(count)))
    return {recipe.name: jobs.start(recipe) for recipe in (SCORING, LOADING, KILLED, CRASHING)}


@pytest.fixture(scope="module")
def kills(jobs: Jobs, started: Mapping[str, JobJson]) -> Iterator[Mapping[str, Future[int]]]:
    """Kill the engine of one flow once, and of another one as often as it starts; how often that was."""
    with ThreadPoolExecutor(2) as threads:
        yield {
            "killed": threads.submit(_kill, jobs, started["killed"]["id"], times=1),
            "crashing": threads.submit(_kill, jobs, started["crashing"]["id"], times=100),
        }


def _kill(jobs: Jobs, job_id: str, *, times: int) -> int:
    """Kill the engine in each pod of the flow once it scores, until the job is over; the number of pods."""
    killed: set[str] = set()
    is_over = False
    while len(killed) < times and not is_over:
        with suppress(UnavailableError, ProgramError):  # what ended by itself meanwhile, or has no engine yet
            job = jobs.client.job(job_id)
            is_over = JobState(job["state"]).is_finished
            if (job["progress"] or {}).get("phase") == "running":
                _kill_engines(jobs, job_id, killed)
        time.sleep(0.3)
    return len(killed)


def _kill_engines(jobs: Jobs, job_id: str, killed: set[str]) -> None:
    selection = ("-n", ENVIRONMENT, "-l", f"{names.RELEASE}={job_id},{names.COMPONENT}=flow")
    for pod in jobs.platform.objects("pods", *selection):
        name = pod["metadata"]["name"]
        if name not in killed and pod["status"]["phase"] == "Running":
            jobs.platform.kubectl("-n", ENVIRONMENT, "exec", name, "-c", "flow", "--", "python3", "-c", KILL)
            killed.add(name)


def _assert_cancelled(jobs: Jobs, job_id: str, *, asked: float, tasks: set[str]) -> None:
    job = jobs.finish(job_id)
    assert time.monotonic() - asked < GONE_SECONDS
    assert job["task"] in tasks
    by = f"cancelled by system:serviceaccount:{NAMESPACE}:{OPERATOR}"
    jobs.assert_ended(job, state=JobState.CANCELLED, reason=Reason.CANCELLED, task=job["task"], words=(by,))
    assert jobs.client.cancel(job_id)["state"] == "CANCELLED", "again is fine"


def test_a_job_is_cancelled_while_it_scores(
    jobs: Jobs, started: Mapping[str, JobJson], kills: Mapping[str, Future[int]]
) -> None:
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


def test_a_flow_that_was_killed_is_run_again_and_leaves_one_result(
    jobs: Jobs, started: Mapping[str, JobJson], kills: Mapping[str, Future[int]]
) -> None:
    job = jobs.finish(started["killed"]["id"])
    assert kills["killed"].result(timeout=60) == 1
    jobs.assert_ended(job, state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(job) == {"read": SOME, "written": SOME}
    assert [row["id"] for row in jobs.lines(KILLED.sink)] == list(range(1, SOME + 1))
    assert jobs.published(KILLED) == {KILLED.sink, f"{KILLED.sink}.manifest.json"}


def test_a_flow_that_crashes_again_and_again_ends_the_job(
    jobs: Jobs, started: Mapping[str, JobJson], kills: Mapping[str, Future[int]]
) -> None:
    job = jobs.finish(started["crashing"]["id"])
    assert kills["crashing"].result(timeout=60) == 3
    words = ("the engine ended with code -9", "attempt 3")
    jobs.assert_ended(job, state=JobState.FAILED, reason=Reason.FLOW_CRASHED, task="wait", words=words)
    assert jobs.published(CRASHING) == set()
