"""What Tekton cannot remove any more is removed by the janitor, and nothing else is."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import names
from scheduler.cli import exit_codes
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import JobJson
from scheduler.demo import check
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import ConflictError, NotFoundError
from scheduler.model.job import JobState, Reason
from tests.e2e import callers as callers_
from tests.e2e import recipes, support
from tests.e2e.ends import verdict
from tests.e2e.ends.end import End
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SOON_SECONDS: Final = 60.0
STUCK: Final = "e2e.modelops.dev/stuck"
_SLOWLY: Final = {**recipes.SCORE, "score": {**recipes.SCORE["score"], "batch": {"count": 1, "period": "50ms"}}}
DELETED: Final = Recipe(name="janitor-deleted", steps=(_SLOWLY,), artifact=recipes.SLEEP)
FORCED: Final = Recipe(name="janitor-forced", steps=(_SLOWLY,), artifact=recipes.SLEEP)
ALIVE: Final = Recipe(name="janitor-alive", steps=(_SLOWLY,), artifact=recipes.SLEEP)
LEAKING: Final = Recipe(name="janitor-leaking", steps=(_SLOWLY,), artifact=recipes.SLEEP)
ABANDONED: Final = names.job_id(namespace=ENVIRONMENT, key="abandoned by its helm")


@pytest.fixture(scope="module")
def running(jobs: Jobs) -> Iterator[Mapping[str, JobJson]]:
    """Four jobs that score, three of them for minutes."""
    for recipe, count in ((DELETED, 600), (FORCED, 600), (ALIVE, 600), (LEAKING, 6)):
        jobs.give(recipe, recipe.source_of(recipes.rows(count)))
    made = {
        LEAKING.name: jobs.start(LEAKING, deadlines={"finish": "20s"}),
        **{recipe.name: jobs.start(recipe) for recipe in (DELETED, FORCED, ALIVE)},
    }
    _hold(jobs, made[LEAKING.name]["id"])
    yield {name: jobs.until(job["id"], _is_running) for name, job in made.items() if name != LEAKING.name} | {
        LEAKING.name: made[LEAKING.name]
    }
    for job in made.values():
        with suppress(NotFoundError, ConflictError):
            jobs.client.cancel(job["id"])


def _is_running(job: JobJson) -> bool:
    return bool(job["state"] == "RUNNING")


def _hold(jobs: Jobs, job_id: str) -> None:
    """Put a finalizer on the job's Service, as a controller that has gone away would leave it."""
    selection = ("-n", ENVIRONMENT, "-l", f"{names.RELEASE}={job_id}")
    _until(lambda: bool(jobs.platform.objects("services", *selection)))
    (service,) = jobs.platform.objects("services", *selection)
    _finalize(jobs.platform, "service", service["metadata"]["name"], [STUCK])


def _finalize(platform: Platform, kind: str, name: str, finalizers: list[str]) -> None:
    patch = json.dumps({"metadata": {"finalizers": finalizers}})
    platform.kubectl("-n", ENVIRONMENT, "patch", kind, name, "--type=merge", "-p", patch)


def _until(is_right: Callable[[], bool], *, seconds: float = SOON_SECONDS) -> float:
    """The seconds that it took; AssertionError when it takes longer."""
    began = time.monotonic()
    while not is_right():
        assert time.monotonic() - began < seconds
        time.sleep(0.5)
    return time.monotonic() - began


@pytest.mark.end("run-deleted")
def test_what_a_deleted_run_had_installed_is_removed(jobs: Jobs, running: Mapping[str, JobJson], end: End) -> None:
    job_id = running[DELETED.name]["id"]
    jobs.platform.kubectl("-n", ENVIRONMENT, "delete", "pipelinerun", job_id, "--wait=false")
    _until(lambda: not check.leftovers(jobs.platform, job_id))
    answer = jobs.ask("GET", f"/v1/jobs/{job_id}")
    verdict.assert_refused(end, answer.status_code, answer.json())
    assert jobs.published(DELETED) == set()


@pytest.mark.end("cancelled-by-force")
def test_force_waits_for_no_pod(jobs: Jobs, running: Mapping[str, JobJson], end: End) -> None:
    job_id = running[FORCED.name]["id"]
    selection = ("-n", ENVIRONMENT, "-l", f"{names.JOB_ID}={job_id},{names.TEKTON_PIPELINE_TASK}=wait")
    (pod,) = jobs.platform.objects("pods", *selection)
    name = pod["metadata"]["name"]
    _finalize(jobs.platform, "pod", name, [STUCK])
    try:
        began = time.monotonic()
        after = jobs.client.cancel(job_id, mode="force")
        assert after["state"] == "CANCELLING"
        job = jobs.finish(job_id)
        assert time.monotonic() - began < SOON_SECONDS
        verdict.assert_ended(jobs, job, end, recipe=FORCED)
        assert jobs.platform.objects("pods", *selection), "it has not ended, and nobody waited for it"
        assert jobs.client.cancel(job_id, mode="force") == job
    finally:
        _finalize(jobs.platform, "pod", name, [])


def test_what_a_teardown_left_is_named_and_then_removed(jobs: Jobs, running: Mapping[str, JobJson]) -> None:
    job_id = running[LEAKING.name]["id"]
    job = jobs.finish(job_id)
    (left,) = check.leftovers(jobs.platform, job_id)
    assert (job["state"], job["reason"], job["cleanup"]) == ("SUCCEEDED", "FinishDeadline", "LEAKED")
    assert job["leftovers"] == [left]
    _until(lambda: f"has not removed 1 object of its release ({left})" in jobs.client.job(job_id)["message"])
    assert jobs.client.job(job_id)["leftovers"] == [left]

    _finalize(jobs.platform, "service", left.partition("/")[2], [])
    _until(lambda: jobs.client.job(job_id)["cleanup"] == "CLEAN")

    jobs.assert_ended(
        jobs.client.job(job_id), state=JobState.SUCCEEDED, reason=Reason.COMPLETED, words=("the janitor removed",)
    )
    assert support.ledger(jobs.client.job(job_id)) == {"read": 6, "written": 6}


@pytest.fixture
def abandoned(platform: Platform, tmp_path: Path) -> Iterator[str]:
    """A release whose helm was killed while it installed: `pending-install`, of no job."""
    chart = _chart(tmp_path / "chart")
    command = ["helm", "install", ABANDONED, str(chart), "-n", ENVIRONMENT]
    command += ["--labels", f"{names.RELEASE}={ABANDONED}", "--timeout", "2m"]
    helm = subprocess.Popen(command, env=platform.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: _statuses(platform) == {"pending-install"})
        _until(lambda: len(check.leftovers(platform, ABANDONED)) >= 2)
    finally:
        helm.kill()
        helm.wait(10)
    yield ABANDONED
    platform.kubectl("-n", ENVIRONMENT, "delete", "job,configmap,secret", "-l", f"{names.RELEASE}={ABANDONED}")


def _statuses(platform: Platform) -> set[str]:
    found = platform.objects("secrets", "-n", ENVIRONMENT, "-l", f"{names.RELEASE}={ABANDONED}")
    return {secret["metadata"]["labels"]["status"] for secret in found}


def _chart(folder: Path) -> Path:
    """A chart whose hook waits for ever."""
    labels = {names.RELEASE: ABANDONED}
    hook = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{ABANDONED}-kept", "labels": labels, "annotations": {"helm.sh/hook": "pre-install"}},
    }
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "wait", "image": "none.invalid/none:1", "securityContext": context}],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{ABANDONED}-waits",
            "labels": labels,
            "annotations": {"helm.sh/hook": "pre-install", "helm.sh/hook-weight": "1"},
        },
        "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}},
    }
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "waits", "version": "1.0.0"}))
    (folder / "templates" / "all.yaml").write_text(yaml.safe_dump_all([hook, job]))
    return folder


def _cli(login: Login, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "MODELOPS_URL": login.url,
        "MODELOPS_TOKEN": login.token,
        "MODELOPS_ENVIRONMENT": ENVIRONMENT,
    }
    command = ["modelops", "job", "cleanup", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=90, check=False)


def test_a_dry_run_tells_and_a_cleanup_removes(
    jobs: Jobs, running: Mapping[str, JobJson], abandoned: str, login: Login
) -> None:
    before = check.leftovers(jobs.platform, abandoned)
    alive = running[ALIVE.name]["id"]
    objects = check.leftovers(jobs.platform, alive)

    told = _cli(login, "--dry-run", "-o", "json")
    found: dict[str, Any] = {item["release"]: item for item in json.loads(told.stdout)["releases"]}
    assert told.returncode == exit_codes.OK, told.stderr
    assert (found[abandoned]["action"], found[abandoned]["why"]) == ("would remove", "its PipelineRun is gone")
    assert set(found[abandoned]["objects"]) <= set(before)
    assert any(name.startswith("Secret/") for name in found[abandoned]["objects"])
    assert alive not in found
    assert check.leftovers(jobs.platform, abandoned) == before, "a dry run changes nothing"

    done = _cli(login)
    assert done.returncode == exit_codes.OK, done.stderr + done.stdout
    assert abandoned in done.stdout
    assert check.leftovers(jobs.platform, abandoned) == []
    assert check.leftovers(jobs.platform, alive) == objects, "nothing of a job that is alive is touched"
    assert jobs.client.job(alive)["state"] == "RUNNING"


def test_who_may_only_look_may_not_clean_nor_ask_for_it(platform: Platform, login: Login) -> None:
    with callers_.present(platform) as callers, callers_.http(login.url, callers.viewer) as http:
        for body in ({"dryRun": True}, {"environment": ENVIRONMENT}):
            assert http.post("/v1/cleanups", json=body).status_code == 403
