"""What Tekton cannot remove any more is removed by the janitor, and nothing else is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from scheduler import names
from scheduler.cli import exit_codes
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import JobJson
from scheduler.demo import check
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE, Platform
from scheduler.errors import ConflictError, NotFoundError
from scheduler.model.job import JobState, Reason
from tests.e2e import callers as callers_
from tests.e2e import recipes, support
from tests.e2e.ends import verdict
from tests.e2e.ends.end import End
from tests.e2e.ends.held import Held
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SOON_SECONDS: Final = 60.0
LEASE: Final = names.janitor_lease(f"{NAMESPACE}.{RELEASE}")
_STUCK: Final = "modelops.dev/held-by-a-test"
_SLOWLY: Final = {**recipes.SCORE, "score": {**recipes.SCORE["score"], "batch": {"count": 1, "period": "50ms"}}}
DELETED: Final = Recipe(name="janitor-deleted", steps=(_SLOWLY,), artifact=recipes.SLEEP)
FORCED: Final = Recipe(name="janitor-forced", steps=(_SLOWLY,), artifact=recipes.SLEEP)
ALIVE: Final = Recipe(name="janitor-alive", steps=(_SLOWLY,), artifact=recipes.SLEEP)
LEAKING: Final = Recipe(name="janitor-leaking")


@pytest.fixture(scope="module")
def held(platform: Platform) -> Iterator[Held]:
    """What keeps a job's teardown from its end."""
    found = Held()
    found.put(platform)
    yield found
    found.let_go(platform)


@pytest.fixture(scope="module")
def started(jobs: Jobs, held: Held) -> Iterator[Mapping[str, str]]:
    """Ids of four jobs, three of which score for minutes; and those three do when this is there."""
    for recipe, count in ((DELETED, 600), (FORCED, 600), (ALIVE, 600), (LEAKING, 6)):
        jobs.give(recipe, recipe.source_of(recipes.rows(count)))
    made = {recipe.name: jobs.start(recipe)["id"] for recipe in (DELETED, FORCED, ALIVE)}
    made[LEAKING.name] = jobs.start(LEAKING, key=held.key, deadlines={"finish": "10s"})["id"]
    for recipe in (DELETED, FORCED, ALIVE):
        jobs.until(made[recipe.name], _is_running)
    yield made
    for job_id in made.values():
        with suppress(NotFoundError, ConflictError):
            jobs.client.cancel(job_id)


def _is_running(job: JobJson) -> bool:
    return bool(job["state"] == "RUNNING")


def _until(is_right: Callable[[], bool], *, seconds: float = SOON_SECONDS) -> None:
    began = time.monotonic()
    while not is_right():
        assert time.monotonic() - began < seconds
        time.sleep(0.5)


@pytest.mark.end("run-deleted")
def test_what_a_deleted_run_had_installed_is_removed(jobs: Jobs, started: Mapping[str, str], end: End) -> None:
    job_id = started[DELETED.name]
    jobs.platform.kubectl("-n", ENVIRONMENT, "delete", "pipelinerun", job_id, "--wait=false")
    _until(lambda: not check.leftovers(jobs.platform, job_id))
    answer = jobs.ask("GET", f"/v1/jobs/{job_id}")
    verdict.assert_refused(end, answer.status_code, answer.json())
    assert jobs.published(DELETED) == set()


@pytest.mark.end("cancelled-by-force")
def test_force_waits_for_no_pod(jobs: Jobs, started: Mapping[str, str], end: End) -> None:
    job_id = started[FORCED.name]
    selection = ("-n", ENVIRONMENT, "-l", f"{names.JOB_ID}={job_id},{names.TEKTON_PIPELINE_TASK}=wait")
    (pod,) = jobs.platform.objects("pods", *selection)
    name = pod["metadata"]["name"]
    _finalize(jobs.platform, name, [_STUCK])
    try:
        began = time.monotonic()
        assert jobs.client.cancel(job_id, mode="force")["state"] == "CANCELLING"
        job = jobs.finish(job_id)
        assert time.monotonic() - began < SOON_SECONDS
        verdict.assert_ended(jobs, job, end, recipe=FORCED)
        assert jobs.platform.objects("pods", *selection), "it has not ended, and nobody waited for it"
        assert jobs.client.cancel(job_id, mode="force")["state"] == "CANCELLED", "again is fine"
    finally:
        _finalize(jobs.platform, name, [])


def _finalize(platform: Platform, pod: str, finalizers: list[str]) -> None:
    patch = json.dumps({"metadata": {"finalizers": finalizers}})
    platform.kubectl("-n", ENVIRONMENT, "patch", "pod", pod, "--type=merge", "-p", patch)


def test_what_a_teardown_left_is_named_and_then_removed(jobs: Jobs, started: Mapping[str, str], held: Held) -> None:
    job_id, left = started[LEAKING.name], f"ConfigMap/{held.name}"
    job = jobs.finish(job_id)
    assert (job["state"], job["reason"], job["cleanup"]) == ("SUCCEEDED", "FinishDeadline", "LEAKED")
    assert job["leftovers"] == [left]
    _until(lambda: f"the janitor has not removed 1 object of its release ({left})" in _message(jobs, job_id))
    assert jobs.client.job(job_id)["leftovers"] == [left]

    held.let_go(jobs.platform)
    _until(lambda: bool(jobs.client.job(job_id)["cleanup"] == "CLEAN"))

    after = jobs.client.job(job_id)
    jobs.assert_ended(after, state=JobState.SUCCEEDED, reason=Reason.COMPLETED, words=("the janitor",))
    assert (after["leftovers"], after["diagnosis"]) == ([], None)
    assert support.ledger(after) == {"read": 6, "written": 6}


def _message(jobs: Jobs, job_id: str) -> str:
    return str(jobs.client.job(job_id)["message"])


@pytest.fixture
def abandoned(platform: Platform) -> Iterator[Held]:
    """A release of no job, whose helm died while it installed; and one object of it does not go."""
    found = Held(is_release=True)
    found.put(platform)
    yield found
    found.let_go(platform)


def _cleanup(login: Login, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and what is told by release."""
    more = {"MODELOPS_URL": login.url, "MODELOPS_TOKEN": login.token, "MODELOPS_ENVIRONMENT": ENVIRONMENT}
    command = [sys.executable, "-m", "scheduler", "job", "cleanup", *arguments, "-o", "json"]
    done = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, timeout=90, check=False)
    assert done.stdout, done.stderr
    return done.returncode, {item["release"]: item for item in json.loads(done.stdout)["releases"]}


def _put_to_sleep(platform: Platform) -> None:
    """Let the janitor believe, for as long as a Lease lasts, that another one is at work."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    patch = json.dumps({"spec": {"holderIdentity": "a-test", "renewTime": now}})
    platform.kubectl("-n", NAMESPACE, "patch", "lease", LEASE, "--type=merge", "-p", patch)


def test_people_may_ask_what_is_left_and_have_it_removed(
    jobs: Jobs, started: Mapping[str, str], abandoned: Held, login: Login
) -> None:
    release, alive = abandoned.job, started[ALIVE.name]
    held, record = f"ConfigMap/{abandoned.name}", f"Secret/sh.helm.release.v1.{release}.v1"
    _put_to_sleep(jobs.platform)

    code, told = _cleanup(login, "--dry-run")
    assert code == exit_codes.OK
    assert (told[release]["action"], told[release]["why"]) == ("would remove", "its PipelineRun is gone")
    assert set(told[release]["objects"]) == {held, record}
    assert alive not in told
    assert set(check.leftovers(jobs.platform, release)) == {held, record}, "a dry run changes nothing"

    _put_to_sleep(jobs.platform)
    code, told = _cleanup(login)
    assert (code, told[release]["action"]) == (exit_codes.LEAKED, "failed")
    assert f"has not removed 1 object of its release ({held})" in told[release]["message"]
    assert check.leftovers(jobs.platform, release) == [held], "no release stays pending"

    abandoned.let_go(jobs.platform)
    code, told = _cleanup(login)
    assert code == exit_codes.OK
    assert release not in told
    assert check.leftovers(jobs.platform, release) == []
    assert _is_running(jobs.client.job(alive)), "nothing of a job that is alive is touched"


def test_who_may_only_look_may_not_clean_nor_ask_for_it(platform: Platform, login: Login) -> None:
    with callers_.present(platform) as callers, callers_.http(login.url, callers.viewer) as http:
        for body in ({"dryRun": True}, {"environment": ENVIRONMENT}):
            assert http.post("/v1/cleanups", json=body).status_code == 403
