"""An environment and a node without room. Runs last: while it lasts, there is room for nobody."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.preprocess import resources
from tests.e2e import recipes
from tests.e2e.ends import table, verdict
from tests.e2e.ends.control_cases import sleeping, until_it_scores
from tests.e2e.ends.end import End
from tests.e2e.ends.running import ROWS
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.runs_last, pytest.mark.timeout(300)]

QUOTA: Final = "modelops-jobs"
FILLER: Final = "e2e-filler"


@contextmanager
def _quota(platform: Platform, **hard: str) -> Iterator[None]:
    """The quota of the environment's jobs with other limits for a while."""
    found = _found_quota(platform)["spec"]["hard"]

    def put(limits: Mapping[str, str]) -> None:
        patch = json.dumps({"spec": {"hard": limits}})
        platform.kubectl("-n", ENVIRONMENT, "patch", "resourcequota", QUOTA, "--type=merge", "--patch", patch)

    changed = {name.replace("_", "."): amount for name, amount in hard.items()}
    put(changed)
    try:
        yield
    finally:
        put({name: found[name] for name in changed})


def _found_quota(platform: Platform) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(
        platform.kubectl("-n", ENVIRONMENT, "get", "resourcequota", QUOTA, "-o", "json")
    )
    return found


@pytest.fixture
def full_quota(platform: Platform) -> Iterator[str]:
    """How many pods there may be when one more job fits: its service and its flow."""
    pods = str(int(_found_quota(platform)["status"]["used"]["pods"]) + 2)
    with _quota(platform, pods=pods):
        yield pods


@pytest.fixture
def large_quota(platform: Platform) -> Iterator[None]:
    with _quota(platform, requests_memory="2000Gi", limits_memory="2000Gi"):
        yield


@pytest.mark.end("quota-full", "quota-full-for-a-while")
def test_a_job_waits_for_the_quota_and_is_removed_while_it_is_full(jobs: Jobs, full_quota: str) -> None:
    full, waiting, running = Recipe(name="full"), Recipe(name="waiting"), sleeping("occupying")
    for recipe in (full, waiting):
        jobs.give(recipe, recipe.source_of(recipes.rows(ROWS)))
    jobs.give(running, running.source_of(recipes.rows(100_000)))
    occupying = jobs.start(running)["id"]
    until_it_scores(jobs, occupying)

    late = jobs.finish(jobs.start(full, deadlines={"ready": "15s"})["id"])

    assert jobs.client.job(occupying)["state"] == "RUNNING", "the quota was full all the time"
    verdict.assert_ended(jobs, late, table.ENDS["quota-full"], recipe=full, pods=full_quota)

    patient = jobs.start(waiting)["id"]
    told = jobs.until(patient, lambda job: "exceeded quota" in job["message"])
    assert told["state"] == "INSTALLING"
    jobs.client.cancel(occupying)
    verdict.assert_ended(jobs, jobs.finish(patient), table.ENDS["quota-full-for-a-while"], recipe=waiting)
    jobs.assert_nothing_left(jobs.finish(occupying)["id"])


@pytest.mark.end("node-too-small")
def test_a_job_without_a_node_says_what_it_asks_for_and_what_there_is(jobs: Jobs, large_quota: None, end: End) -> None:
    recipe = Recipe(name="too-large", extra={"memory": "900Gi"})
    jobs.give(recipe, recipe.source_of(recipes.rows(ROWS)))
    job = jobs.finish(jobs.start(recipe, deadlines={"ready": "15s"})["id"])
    verdict.assert_ended(jobs, job, end, recipe=recipe, id=job["id"], memory=_memory_here())


@pytest.mark.end("queue-deadline")
def test_a_job_that_no_node_takes_ends_at_its_queue_deadline(jobs: Jobs, end: End) -> None:
    recipe = Recipe(name="queued")
    jobs.give(recipe, recipe.source_of(recipes.rows(ROWS)))
    with _filled(jobs.platform):
        job_id = jobs.start(recipe, deadlines={"queue": "5s"})["id"]
        told = jobs.until(job_id, lambda job: "Insufficient cpu" in job["message"])
        assert told["state"] == "QUEUED"
        jobs.until(job_id, lambda job: job["state"] == "CANCELLING")
    verdict.assert_ended(jobs, jobs.finish(job_id), end, recipe=recipe)


@contextmanager
def _filled(platform: Platform) -> Iterator[None]:
    """Every node full of a pod that does nothing."""
    platform.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": FILLER}})
    try:
        for node in platform.objects("nodes"):
            platform.apply(_filler(node, _free(platform, node)))
        platform.kubectl("-n", FILLER, "wait", "pods", "--all", "--for=jsonpath={.spec.nodeName}", "--timeout=60s")
        yield
    finally:
        platform.kubectl("delete", "namespace", FILLER, "--wait=true", "--timeout=60s")


def _memory_here() -> str:
    """MiB: the local cluster's node is this machine."""
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**20:.0f}"


def _free(platform: Platform, node: Mapping[str, Any]) -> int:
    """Thousandths of a CPU that no pod on the node has asked for."""
    name = node["metadata"]["name"]
    pods = platform.objects("pods", "--all-namespaces", f"--field-selector=spec.nodeName={name}")
    at_work = [{**pod, "kind": "Pod"} for pod in pods if pod["status"]["phase"] in {"Pending", "Running"}]
    there = int(resources.quantity(node["status"]["allocatable"]["cpu"]) * 1000)
    return there - resources.totals(at_work).request_cpu_millicores


def _filler(node: Mapping[str, Any], millicores: int) -> Mapping[str, Any]:
    """A pod that is given its room and never starts: its image is nowhere."""
    container = {
        "name": "nothing",
        "image": "localhost:9/nothing",
        "resources": {"requests": {"cpu": f"{millicores}m"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"on-{node['metadata']['name']}", "namespace": FILLER},
        "spec": {
            "containers": [container],
            "nodeSelector": {"kubernetes.io/hostname": node["metadata"]["labels"]["kubernetes.io/hostname"]},
            "terminationGracePeriodSeconds": 0,
        },
    }
