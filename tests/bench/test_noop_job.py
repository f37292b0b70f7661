"""How long a job takes that has next to nothing to do, beside what no job of this kind can do without.

Ten records, one filter, one Python script as its service, one flow pod: from the HTTP order to SUCCEEDED, CLEAN, and
its pods gone. Beside it, in turn: three empty Tekton tasks one after another, and the same chart with the same values
installed and removed by helm alone.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import assets, names
from scheduler.artifacts.client import ModelopsClient
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.demo.volume import Volume
from scheduler.model.job import JobState
from scheduler.model.types import Manifest
from scheduler.tekton import job_input, view
from tests.bench.record import Bench
from tests.bench.timeline import Timeline, table
from tests.e2e import recipes
from tests.e2e.deployed import Deployed
from tests.e2e.recipes import Recipe

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

RECIPE: Final = Recipe(name="bench-noop", steps=(recipes.DROP_EMPTY, recipes.SCORE))
_LIMIT_SECONDS: Final = 240.0
_PAUSE_SECONDS: Final = 0.1
_TASKS: Final = ("first", "second", "third")


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The platform under measurement."""

    client: SchedulingClient
    cluster: KubernetesCluster
    files: Volume
    platform: Platform
    timeline: Timeline


@pytest.fixture
def here(
    client: SchedulingClient,
    store: ModelopsClient,
    files: Volume,
    cluster: KubernetesCluster,
    deployed: Deployed,
) -> Iterator[Here]:
    files.put(RECIPE.source, RECIPE.source_of(recipes.without_values(recipes.rows(10), 3, 7)))
    with tempfile.NamedTemporaryFile() as file:
        file.write(RECIPE.artifact)
        file.flush()
        store.upload(Path(file.name), sha256=RECIPE.sha256)
    with Timeline(cluster, ENVIRONMENT) as timeline:
        yield Here(client=client, cluster=cluster, files=files, platform=deployed.platform, timeline=timeline)
    files.remove(*(name for name in files.names() if name.lstrip(".").startswith(RECIPE.name)))


def test_noop_job(bench: Bench, here: Here) -> None:
    bench.of(
        "No-op job",
        "Ten records, one filter, one Python script, one flow pod, images present: from `POST /v1/jobs` until the job "
        "is SUCCEEDED and CLEAN, its pods gone. In turn with it, every fourth time: a PipelineRun of three empty "
        "tasks one after another in the same namespace, and the job's chart with the job's values by helm alone "
        "(install, wait for the flow's end, uninstall, pods gone).",
    )
    if bench.is_full:  # whatever is fetched or compiled once, is afterwards
        here.cluster.delete("PipelineRun", _job(here)[0], ENVIRONMENT)
    jobs: list[dict[str, float]] = []
    empty: list[float] = []
    by_hand: list[float] = []
    for turn in range(bench.size(short=1, full=20)):
        job, moments = _job(here)
        jobs.append(moments)
        if turn % 4 == 0:
            empty.append(_empty_tasks(here, image=_task_image(here, job)))
            by_hand.append(_helm_by_hand(here, job))
        here.cluster.delete("PipelineRun", job, ENVIRONMENT)
    took = sorted(moments[_END] for moments in jobs)
    p50, tasks, helm = (statistics.median(found) for found in (took, empty, by_hand))
    bench.figure(f"job, p50 of {len(took)}", p50, "s", at_most=13)
    bench.figure("job, p95", took[int(len(took) * 0.95)] if len(took) > 1 else took[0], "s")
    bench.figure(f"three empty Tekton tasks, p50 of {len(empty)}", tasks, "s")
    bench.figure("helm by hand, p50", helm, "s")
    bench.figure("job / (three empty tasks + helm by hand)", p50 / (tasks + helm), "times")
    bench.note("Where the time goes, in the middle of all runs; lines of the service and the flow overlap with `wait`:")
    bench.note(table(jobs))


_END: Final = "job SUCCEEDED and CLEAN, no pod of it left"


def _job(here: Here) -> tuple[str, dict[str, float]]:
    """One job; its id and its moments in seconds after the order. Its answers are right."""
    began = time.monotonic()
    order = {"environment": ENVIRONMENT, "ir": RECIPE.documents()}
    job, is_new = here.client.start(order, key=uuid.uuid4().hex)
    ordered = time.monotonic()
    assert is_new
    name = job["id"]
    while not JobState(job["state"]).is_finished or here.cluster.list("Pod", ENVIRONMENT, labels={names.RELEASE: name}):
        assert time.monotonic() - began < _LIMIT_SECONDS, f"{job['state']} {job['message']}"
        time.sleep(_PAUSE_SECONDS)
        job = here.client.job(name)
    ended = time.monotonic()
    assert (job["state"], job["cleanup"]) == ("SUCCEEDED", "CLEAN"), job["message"]
    counts = {term: count for term, count in job["records"].items() if count and term != "perSecond"}
    assert counts == {"read": 10, "filtered": 2, "written": 8}
    seen = {moment: at - began for moment, at in here.timeline.of(name).items()}
    return name, {**seen, "POST /v1/jobs answered": ordered - began, _END: ended - began}


def _task_image(here: Here, job: str) -> str:
    run = here.cluster.get("PipelineRun", job, ENVIRONMENT)
    return next(str(param["value"]) for param in run["spec"]["params"] if param["name"] == "image")


def _empty_tasks(here: Here, *, image: str) -> float:
    """Seconds of three tasks that do nothing, each after the one before, with the job's image and account."""
    began = time.monotonic()
    name = here.cluster.create(_empty_run(image))["metadata"]["name"]
    try:
        run = _until(
            lambda: here.cluster.get("PipelineRun", name, ENVIRONMENT),
            lambda found: bool(_condition(found, "Succeeded")),
        )
        took = time.monotonic() - began
        assert _condition(run, "Succeeded") == "True", run["status"]["conditions"]
    finally:
        here.cluster.delete("PipelineRun", name, ENVIRONMENT)
    return took


def _helm_by_hand(here: Here, job: str) -> float:
    """Seconds of what a person would do with the finished job's own values: install, wait, uninstall, look."""
    run = here.cluster.get("PipelineRun", job, ENVIRONMENT)
    given = here.cluster.get("ConfigMap", view.text(run, "metadata", "annotations", names.INPUT), ENVIRONMENT)
    words = ("--namespace", ENVIRONMENT)
    began = time.monotonic()
    with _values(given["data"][job_input.VALUES_KEY]) as values:
        chart = str(assets.subchart("scoring-pipeline"))
        here.platform.run("helm", "install", job, chart, *words, "--values", values)
    _until(
        lambda: here.cluster.get("Job", names.flow(job), ENVIRONMENT),
        lambda found: _condition(found, "Complete") == "True",
    )
    here.platform.run("helm", "uninstall", job, *words)
    _until(lambda: list(here.cluster.list("Pod", ENVIRONMENT, labels={names.RELEASE: job})), lambda found: found == [])
    return time.monotonic() - began


@contextmanager
def _values(text: str) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        assert yaml.safe_load(text)["global"]["render"] == "job"
        yield file.name


def _until(look: Callable[[], Any], is_right: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not is_right(found := look()):
        assert time.monotonic() < deadline, f"not within {_LIMIT_SECONDS:g} s: {found}"
        time.sleep(_PAUSE_SECONDS)
    return found


def _condition(manifest: Manifest, type_: str) -> str:
    """`True` or `False` of a condition that is settled; empty otherwise."""
    for condition in view.items(manifest, "status", "conditions"):
        if condition.get("type") == type_ and condition.get("status") in {"True", "False"}:
            return str(condition["status"])
    return ""


def _empty_run(image: str) -> Mapping[str, Any]:
    step = {
        "name": "nothing",
        "image": image,
        "command": ["true"],
        "computeResources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    tasks = [{"name": name, "taskSpec": {"steps": [step]}} for name in _TASKS]
    chained = [{**task, "runAfter": [before]} for before, task in zip(_TASKS, tasks[1:], strict=False)]
    user = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"generateName": "empty-", "namespace": ENVIRONMENT},
        "spec": {
            "pipelineSpec": {"tasks": [tasks[0], *chained]},
            "taskRunTemplate": {
                "serviceAccountName": names.RUNNER_ACCOUNT,
                "podTemplate": {"securityContext": {**user, "seccompProfile": {"type": "RuntimeDefault"}}},
            },
        },
    }
