"""The hook that begins an installation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.errors import NotFoundError, UnavailableError
from scheduler.installation import starting
from scheduler.model.types import Manifest
from tests.unit.installation import clock, objects
from tests.unit.installation.objects import BUILDS, DIGEST, OTHER_DIGEST, RELEASE


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    for manifest in objects.installation():
        made.put(manifest)
    return made


def start(cluster: FakeCluster, meanwhile: Callable[[], None] = lambda: None, **given: Any) -> str:
    run: Manifest = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"labels": {"a": "b"}},
        "spec": {"pipelineRef": {"name": "modelops-installation"}},
    }
    order = starting.Order(
        **{"release": RELEASE, "namespace": BUILDS, "run": run, "digest": DIGEST, "keep": 3, **given}
    )
    return starting.start(order, ports=clock.ports(cluster, meanwhile))


def listed(cluster: FakeCluster) -> list[str]:
    return [run["metadata"]["name"] for run in cluster.list("PipelineRun", BUILDS)]


def test_the_first_start_makes_a_run_that_says_what_it_is_made_from(cluster: FakeCluster) -> None:
    said = start(cluster)

    made = cluster.get("PipelineRun", "modelops-abababab-1", BUILDS)
    assert made["metadata"]["labels"] == {"a": "b", names.INSTALLATION: RELEASE}
    assert made["metadata"]["annotations"] == {names.CONTENT_DIGEST: DIGEST}
    assert "modelops-abababab-1 is under way" in said


@pytest.mark.parametrize("status", ["Unknown", "True"])
def test_equal_content_that_goes_on_or_has_succeeded_makes_none(cluster: FakeCluster, status: str) -> None:
    cluster.put(objects.run(1, status=status))

    start(cluster)

    assert listed(cluster) == ["modelops-abababab-1"]


def test_equal_content_that_failed_is_tried_again(cluster: FakeCluster) -> None:
    cluster.put(objects.run(1, status="False"))

    start(cluster)

    assert listed(cluster) == ["modelops-abababab-1", "modelops-abababab-2"]


def test_content_that_was_there_before_another_is_installed_again(cluster: FakeCluster) -> None:
    cluster.put(objects.run(1, status="True"))
    cluster.put(objects.run(2, digest=OTHER_DIGEST, status="True"))

    start(cluster)

    assert "modelops-abababab-3" in listed(cluster)


def test_an_earlier_run_is_cancelled_and_waited_for(cluster: FakeCluster) -> None:
    earlier = objects.run(1, digest=OTHER_DIGEST)
    cluster.put(earlier)
    name = earlier["metadata"]["name"]

    def tekton() -> None:
        assert listed(cluster) == [name]
        assert cluster.get("PipelineRun", name, BUILDS)["spec"]["status"] == "CancelledRunFinally"
        objects.end(cluster, name)

    start(cluster, tekton)

    assert listed(cluster) == ["modelops-abababab-2", name]


def test_an_earlier_run_that_does_not_end_stops_the_next(cluster: FakeCluster) -> None:
    cluster.put(objects.run(1, digest=OTHER_DIGEST))

    with pytest.raises(UnavailableError, match="do not end: modelops-cdcdcdcd-1"):
        start(cluster)
    assert listed(cluster) == ["modelops-cdcdcdcd-1"]


def test_a_run_of_another_platform_is_left_alone(cluster: FakeCluster) -> None:
    other = objects.run(1)
    other["metadata"] |= {"name": "other-abababab-1", "labels": {names.INSTALLATION: "other"}}
    cluster.put(other)

    start(cluster)

    assert listed(cluster) == ["modelops-abababab-1", "other-abababab-1"]
    assert "status" not in cluster.get("PipelineRun", "other-abababab-1", BUILDS)["spec"]


def test_only_so_many_finished_runs_stay(cluster: FakeCluster) -> None:
    for number in (1, 2, 10):
        cluster.put(objects.run(number, digest=OTHER_DIGEST, status="False"))

    start(cluster, keep=1)

    assert listed(cluster) == ["modelops-abababab-11", "modelops-cdcdcdcd-10"]


def test_a_task_that_comes_late_is_waited_for() -> None:
    cluster = FakeCluster()
    pipeline, *tasks = objects.installation()
    coming = [pipeline, *tasks]

    def helm() -> None:
        cluster.put(coming.pop(0))

    start(cluster, helm)

    assert listed(cluster) == ["modelops-abababab-1"]


def test_a_task_that_does_not_come_is_named() -> None:
    cluster = FakeCluster()
    for manifest in objects.installation(tasks=("modelops-deploy", "compile-bento"))[:2]:
        cluster.put(manifest)

    with pytest.raises(NotFoundError, match=r"Task 'compile-bento' of Pipeline 'modelops-installation' is not in"):
        start(cluster)


def test_a_number_that_was_taken_meanwhile_is_passed_over(cluster: FakeCluster) -> None:
    foreign = objects.run(1)
    foreign["metadata"]["labels"] = {}
    cluster.put(foreign)

    start(cluster)

    assert listed(cluster) == ["modelops-abababab-1", "modelops-abababab-2"]
