"""What the janitor removes, what it leaves alone, and what it makes of a world that does not let it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.port import Listing, OwnAccessError
from scheduler.jobs import cancel, orphans
from scheduler.jobs.janitor import SCAN_SECONDS, Janitor
from scheduler.jobs.orphans import Verdict
from scheduler.model.job import Cleanup, JobState, Reason
from tests.unit.jobs.scenes import Clock, Scene, made
from tests.unit.tasks.releases import JOB, SERVICE
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT


def test_a_release_without_a_run_is_found_and_removed(scene: Scene) -> None:
    (done,) = scene.round()

    assert (done.is_gone, done.orphan.release, done.orphan.why) == (True, JOB, "its PipelineRun is gone")
    assert f"Service/{SERVICE}" in done.orphan.objects
    assert scene.left() == []
    assert scene.round() == [], "and then there is nothing to do"


def test_a_release_whose_run_is_alive_is_never_touched(scene: Scene) -> None:
    scene.has_run(runs.task("install", "True", "Succeeded", outcome=runs.INSTALLED), runs.task("wait"))
    before = scene.left()

    assert scene.round() == []
    scene.clock.now += SCAN_SECONDS + 1
    assert scene.round() == []

    assert before
    assert scene.left() == before


def test_an_install_pod_that_is_still_at_work_is_waited_for_and_no_longer_than_it_can_take(scene: Scene) -> None:
    labels = {names.JOB_ID: JOB, names.TEKTON_PIPELINE_TASK: "install"}
    pod = {"kind": "Pod", "metadata": {"name": "install-pod", "namespace": ENVIRONMENT, "labels": labels}}
    scene.cluster.put({**pod, "spec": {"containers": []}, "status": {"phase": "Running"}})

    assert scene.round() == []
    assert orphans.look(ENVIRONMENT, JOB, ports=scene.ports).verdict is Verdict.WAIT
    assert scene.left()

    scene.clock.now += 91
    (done,) = scene.round()
    assert done.is_gone


def test_force_leaves_the_release_to_the_janitor(scene: Scene) -> None:
    scene.has_run(runs.task("install", "True", "Succeeded", outcome=runs.INSTALLED), runs.task("wait"))
    after = cancel.force(JOB, ENVIRONMENT, by="ada", at="2026-01-01T10:05:00Z", cluster=scene.cluster)
    assert after.state is JobState.CANCELLING
    assert scene.cluster.get("PipelineRun", JOB, ENVIRONMENT)["spec"]["status"] == "Cancelled"
    assert scene.round() == [], "Tekton has not ended the run"

    scene.cluster.put(runs.task("wait", "False", "TaskRunCancelled"))
    condition = {"type": "Succeeded", "status": "False", "reason": "Cancelled"}
    scene.cluster.set_status("PipelineRun", JOB, ENVIRONMENT, {"conditions": [condition]})
    scene.world.settle(lambda: scene.job() == scene.world.board.job(ENVIRONMENT, JOB))
    assert scene.job().state is JobState.CANCELLING, "it is not over as long as its release is there"
    (done,) = scene.round()

    job = scene.job()
    assert done.is_gone
    assert (job.state, job.cleanup, job.reason) == (JobState.CANCELLED, Cleanup.CLEAN, Reason.CANCELLED)
    assert job.message.startswith("cancelled by ada, by force; the janitor removed")
    assert cancel.force(JOB, ENVIRONMENT, by="bob", at="", cluster=scene.cluster) == job


class Refusing(FakeCluster):
    """The account's roles went with its namespace."""

    def list(self, kind: str, namespace: str = "", **given: Any) -> Listing:
        self.calls.append(("list", kind))
        raise OwnAccessError(f"{kind} is forbidden")


def test_a_namespace_that_goes_is_asked_ever_more_rarely_and_then_left_alone(tmp_path: Path) -> None:
    refusing = Refusing()
    scene = made(tmp_path, cluster=refusing)
    scene.world.board.mirror.start()
    scene.has_run(runs.task("wait"))
    scene.round()
    scene.cluster.delete("PipelineRun", JOB, ENVIRONMENT)
    scene.world.settle(lambda: scene.world.board.job(ENVIRONMENT, JOB) is None)
    refusing.calls.clear()
    began = scene.clock.now
    while scene.clock.now < began + SCAN_SECONDS:
        scene.round()
        scene.clock.now += 5
    scene.world.board.mirror.stop()

    looks = [kind for _, kind in refusing.calls if kind == "ConfigMap"]
    assert 3 <= len(looks) <= 10
    assert len(refusing.calls) < 40, "a look at everything is tried once a minute"
    assert scene.helm.calls.count(("uninstall", JOB)) == 0, "no helm for what may not be looked at"


def test_only_the_holder_of_the_lease_works(scene: Scene) -> None:
    clock = Clock()
    other = Janitor(scene.ports, holder="two", clock=clock)
    scene.round()

    assert list(other.round()) == []
    assert (scene.janitor.is_holder, other.is_holder) == (True, False)
    scene.janitor.stop()
    list(other.round())
    assert (scene.janitor.is_holder, other.is_holder) == (False, True)
