"""What a removal leaves behind in the cluster, and what the job says of it afterwards."""

from __future__ import annotations

from typing import Any, cast

from scheduler.cluster.fake import FakeCluster
from scheduler.jobs import orphans
from scheduler.jobs.clean import Cleaned, clean
from scheduler.model.job import Cleanup, JobState, Reason
from tests.unit import world
from tests.unit.jobs.scenes import Scene, leaked
from tests.unit.tasks.releases import JOB, SERVICE
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT


def test_a_job_that_leaked_is_shown_clean_and_told_by_whom(scene: Scene) -> None:
    leaked(scene)
    before = scene.job()
    assert (before.state, before.cleanup, before.reason) == (JobState.SUCCEEDED, Cleanup.LEAKED, Reason.LEAKED)
    assert before.leftovers == (f"Service/{SERVICE}",)

    (done,) = scene.round()

    after = scene.job()
    assert done.is_gone
    assert (after.state, after.cleanup, after.reason) == (JobState.SUCCEEDED, Cleanup.CLEAN, Reason.COMPLETED)
    assert after.message.startswith("10 records; the janitor removed 5 objects of its release (")
    assert (after.leftovers, after.diagnosis) == ((), None)


def test_a_job_that_failed_keeps_its_cause(scene: Scene) -> None:
    failed = {"outcome": "Failed", "reason": "FlowCrashed", "message": "the engine ended"}
    scene.has_run(
        runs.task("install", "True", "Succeeded", outcome=runs.INSTALLED),
        runs.task("wait", "False", "Failed", outcome=failed),
        runs.task("uninstall", "False", "TaskRunTimeout"),
        status="False",
        reason="PipelineRunTimeout",
    )
    scene.round()

    job = scene.job()
    assert (job.state, job.reason, job.cleanup) == (JobState.FAILED, Reason.FLOW_CRASHED, Cleanup.CLEAN)
    assert job.message.startswith("the engine ended; the janitor removed")
    assert job.diagnosis is not None
    assert job.diagnosis.detail == job.message


class Stuck(FakeCluster):
    """Has Services with a finalizer that nobody removes."""

    def delete(self, kind: str, name: str, namespace: str = "", **given: Any) -> None:
        if kind == "Service":
            found = self.get(kind, name, namespace)
            self.put({**found, "metadata": {**found["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
            return
        super().delete(kind, name, namespace, **given)


def test_what_does_not_go_is_named_in_the_job_once(scene: Scene) -> None:
    leaked(scene)
    scene.cluster.__class__ = Stuck
    orphan = orphans.look(ENVIRONMENT, JOB, ports=scene.ports)

    done = clean(orphan, ports=scene.ports, seconds=0.3)
    version = scene.job().resource_version
    again = clean(orphans.look(ENVIRONMENT, JOB, ports=scene.ports), ports=scene.ports, seconds=0.3)

    job = scene.job()
    assert not done.is_gone
    assert not again.is_gone
    assert (job.cleanup, job.leftovers) == (Cleanup.LEAKED, (f"Service/{SERVICE}",))
    assert f"the janitor has not removed 1 object of its release (Service/{SERVICE}) yet" in job.message
    assert job.resource_version == version, "what is noted already is not noted again"


def test_two_janitors_at_once_do_no_harm(scene: Scene) -> None:
    leaked(scene)
    found = [orphans.look(ENVIRONMENT, JOB, ports=scene.ports) for _ in range(4)]
    done: list[Cleaned] = []

    world.in_threads(4, lambda number: done.append(clean(found[number], ports=scene.ports)))

    assert [item.is_gone for item in done] == [True] * 4
    assert scene.job().cleanup is Cleanup.CLEAN
    assert scene.left() == []


def test_a_job_that_came_back_under_its_id_is_spared(scene: Scene) -> None:
    orphan = orphans.look(ENVIRONMENT, JOB, ports=scene.ports)
    before = scene.left()
    scene.cluster.put({**runs.run(), "metadata": {**cast("dict[str, Any]", runs.run()["metadata"]), "uid": "another"}})

    done = clean(orphan, ports=scene.ports)

    assert not done.is_gone
    assert "another run" in done.message
    assert scene.left() == before
