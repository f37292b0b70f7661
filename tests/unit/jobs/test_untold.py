"""Task pods of whose end Tekton cannot tell are made again; no other pod is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.port import Listing
from scheduler.jobs.untold import PATIENCE_SECONDS
from scheduler.settings import JanitorSettings
from tests.unit.jobs.scenes import Scene, made
from tests.unit.tasks.releases import JOB
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT

LOST = {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None, "finishedAt": None}
KNOWN = {**LOST, "reason": "Error", "finishedAt": "2026-01-01T10:03:40Z"}


def task_run(status: str = "Unknown") -> dict[str, Any]:
    made: dict[str, Any] = dict(runs.task("wait", status))
    return {**made, "status": {**made["status"], "podName": "wait-pod"}}


def pod(terminated: dict[str, Any] | None, phase: str = "Failed") -> dict[str, Any]:
    labels = {names.JOB_ID: JOB, names.TEKTON_PIPELINE_TASK: "wait"}
    state = {"running": {"startedAt": "2026-01-01T10:03:02Z"}} if terminated is None else {"terminated": terminated}
    return {
        "kind": "Pod",
        "metadata": {"name": "wait-pod", "namespace": ENVIRONMENT, "labels": labels},
        "spec": {"containers": []},
        "status": {"phase": phase, "containerStatuses": [{"name": "step-wait", "state": state}]},
    }


def seen(scene: Scene, *objects: dict[str, Any]) -> None:
    """A run and these, which the watches have told of."""
    scene.cluster.put(runs.run())
    for one in objects:
        scene.cluster.put(one)
    scene.world.settle(lambda: len(scene.world.board.mirror.of_job(ENVIRONMENT, JOB)) == 1 + len(objects))


def pods(scene: Scene) -> Listing:
    return scene.cluster.list("Pod", ENVIRONMENT, labels={names.JOB_ID: JOB})


def test_a_pod_whose_end_cannot_be_told_is_deleted_after_a_while(scene: Scene) -> None:
    seen(scene, task_run(), pod(LOST))

    scene.round()
    scene.clock.now += PATIENCE_SECONDS - 1
    scene.round()
    assert pods(scene).items, "Tekton and the node have their time"

    scene.clock.now += 2
    scene.round()
    assert not pods(scene).items
    scene.world.settle(lambda: len(scene.world.board.mirror.of_job(ENVIRONMENT, JOB)) == 2)
    scene.round()


def test_its_successor_has_a_while_of_its_own(scene: Scene) -> None:
    seen(scene, task_run(), pod(LOST))
    scene.round()
    scene.clock.now += PATIENCE_SECONDS + 1
    scene.round()

    scene.cluster.put(pod(LOST))
    scene.world.settle(lambda: len(scene.world.board.mirror.of_job(ENVIRONMENT, JOB)) == 3)
    scene.round()
    assert pods(scene).items


@pytest.mark.parametrize(
    "objects",
    [
        (task_run(), pod(None, phase="Running")),
        (task_run(), pod(KNOWN)),
        (task_run("False"), pod(LOST)),
        (pod(LOST),),
    ],
    ids=["at work", "ended at a known time", "of a task that has ended", "of no task"],
)
def test_other_pods_stay(scene: Scene, objects: tuple[dict[str, Any], ...]) -> None:
    seen(scene, *objects)
    for _ in range(3):
        scene.round()
        scene.clock.now += PATIENCE_SECONDS + 1
    assert pods(scene).items


def test_a_dry_run_deletes_none(tmp_path: Path) -> None:
    scene = made(tmp_path, settings=JanitorSettings(is_enabled=True, is_dry_run=True))
    scene.world.board.mirror.start()
    seen(scene, task_run(), pod(LOST))
    for _ in range(2):
        scene.round()
        scene.clock.now += PATIENCE_SECONDS + 1
    scene.world.board.mirror.stop()
    assert pods(scene).items
