"""What the janitor removes, what it leaves alone, and what it makes of a world that does not let it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from scheduler import names
from scheduler.api.metrics import Metrics
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.port import Listing, OwnAccessError
from scheduler.jobs import cancel, orphans, reading
from scheduler.jobs.backlog import Backlog
from scheduler.jobs.clean import Cleaned, clean
from scheduler.jobs.janitor import SCAN_SECONDS, Janitor
from scheduler.jobs.leftovers import Action, leftovers
from scheduler.jobs.orphans import Verdict
from scheduler.jobs.ports import Ports, Runner
from scheduler.model.job import Cleanup, Job, JobState, Reason
from scheduler.release import remains
from scheduler.settings import JanitorSettings
from tests.unit import world
from tests.unit.tasks.releases import JOB, LABELS, SERVICE, VALUES, HelmOnCluster
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT, OTHER, World

ENABLED = JanitorSettings(is_enabled=True)
OTHER_JOB = "j" + "b" * 20
FINISHED_BADLY = {"cleanup": "LEAKED", "leftovers": [f"Service/{SERVICE}"], "message": "1 object left"}


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    world: World
    ports: Ports
    helm: HelmOnCluster
    clock: Clock
    janitor: Janitor

    @property
    def cluster(self) -> FakeCluster:
        return self.world.cluster

    def round(self) -> list[Cleaned]:
        self.world.settle(lambda: self.world.board.mirror.is_healthy)
        return list(self.janitor.round())

    def has_run(self, *tasks: dict[str, object], **given: Any) -> None:
        """A run and task runs that the watches have told of."""
        self.cluster.put(runs.run(**given))
        for task in tasks:
            self.cluster.put(task)
        self.world.settle(lambda: self.world.board.job(ENVIRONMENT, JOB))
        self.world.settle(lambda: len(self.world.board.mirror.of_job(ENVIRONMENT, JOB)) == 1 + len(tasks))

    def job(self) -> Job:
        return reading.fresh(self.cluster.get("PipelineRun", JOB, ENVIRONMENT), cluster=self.cluster)

    def left(self) -> list[str]:
        found = remains.find(JOB, namespace=ENVIRONMENT, cluster=self.cluster)
        return [remains.named(item) for item in found]


def made(tmp_path: Path, *, settings: JanitorSettings = ENABLED, cluster: FakeCluster | None = None) -> Scene:
    here = world.build()
    helm = HelmOnCluster(here.cluster)
    (tmp_path / "Chart.yaml").touch()
    helm.install(JOB, chart=tmp_path, values=VALUES, namespace=ENVIRONMENT, labels=LABELS)
    runner = Runner(cluster=cluster or here.cluster, helm=helm)
    ports = replace(here.ports, runner=lambda _: runner, settings=replace(here.ports.settings, janitor=settings))
    clock = Clock()
    return Scene(world=here, ports=ports, helm=helm, clock=clock, janitor=Janitor(ports, holder="one", clock=clock))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    found = made(tmp_path)
    found.world.board.mirror.start()
    yield found
    found.world.board.mirror.stop()


def leaked(scene: Scene) -> None:
    scene.has_run(
        runs.task("install", "True", "Succeeded", outcome=runs.INSTALLED),
        runs.task("wait", "True", "Succeeded", outcome=runs.SCORED),
        runs.task("uninstall", "False", "Failed", outcome=FINISHED_BADLY),
        status="False",
        reason="Failed",
    )


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


def test_a_run_that_is_deleted_while_it_runs_costs_no_look_at_everything(scene: Scene) -> None:
    scene.has_run(runs.task("wait"))
    scene.round()
    scene.cluster.calls.clear()
    scene.round()
    assert not [call for call in scene.cluster.calls if call[0] == "list"], "quiet time costs no list"

    scene.cluster.delete("PipelineRun", JOB, ENVIRONMENT)
    scene.world.settle(lambda: scene.world.board.job(ENVIRONMENT, JOB) is None)
    (done,) = scene.round()

    assert done.is_gone
    assert scene.left() == []


def assert_the_end_of_its_run_costs_no_look(scene: Scene) -> None:
    scene.cluster.calls.clear()

    scene.cluster.delete("PipelineRun", JOB, ENVIRONMENT)
    scene.world.settle(lambda: scene.world.board.job(ENVIRONMENT, JOB) is None)

    assert scene.round() == []
    assert not [call for call in scene.cluster.calls if call[0] == "list"]


def test_nothing_is_looked_for_when_the_runs_of_jobs_go_that_had_no_pod_yet(scene: Scene) -> None:
    """A thousand jobs that wait for room cost nothing when they are deleted."""
    scene.has_run(runs.task("install", reason="ExceededResourceQuota", started=False))
    scene.round()
    assert_the_end_of_its_run_costs_no_look(scene)


def test_a_pod_that_was_there_for_a_moment_is_reason_enough_to_look(scene: Scene) -> None:
    scene.has_run(runs.task("install", reason="ExceededResourceQuota", started=False))
    scene.round()
    labels = {names.JOB_ID: JOB, names.TEKTON_PIPELINE_TASK: "install"}
    pod = {"kind": "Pod", "metadata": {"name": "install-pod", "namespace": ENVIRONMENT, "labels": labels}}
    mirror = scene.world.board.mirror
    before = mirror.stamp(ENVIRONMENT, JOB)
    scene.cluster.put({**pod, "spec": {"containers": []}, "status": {"phase": "Running"}})
    scene.world.settle(lambda: mirror.stamp(ENVIRONMENT, JOB) > before)

    for kind, name in (("PipelineRun", JOB), ("TaskRun", f"{JOB}-install"), ("Pod", "install-pod")):
        scene.cluster.delete(kind, name, ENVIRONMENT)
    scene.world.settle(lambda: not mirror.stamp(ENVIRONMENT, JOB))
    (done,) = scene.round()

    assert done.is_gone
    assert scene.left() == []


def test_a_thousand_runs_deleted_at_once_cost_one_look_and_what_they_left_goes(scene: Scene) -> None:
    others = [names.job_id(namespace=ENVIRONMENT, key=str(number)) for number in range(1000)]
    scene.has_run(runs.task("wait"))
    scene.round()
    for other in others:
        scene.janitor._backlog.add((ENVIRONMENT, other), now=scene.clock.now)
    scene.cluster.calls.clear()

    scene.cluster.delete("PipelineRun", JOB, ENVIRONMENT)
    scene.world.settle(lambda: scene.world.board.job(ENVIRONMENT, JOB) is None)
    (done,) = scene.round()

    assert (done.is_gone, done.orphan.release) == (True, JOB)
    assert scene.left() == []
    assert len([call for call in scene.cluster.calls if call[0] == "list"]) < 100
    assert scene.round() == []


def test_a_job_whose_install_pod_is_at_work_is_not_struck_out_with_many_others(scene: Scene) -> None:
    labels = {names.JOB_ID: OTHER_JOB, names.TEKTON_PIPELINE_TASK: "install"}
    pod = {"kind": "Pod", "metadata": {"name": "install-pod", "namespace": ENVIRONMENT, "labels": labels}}
    scene.cluster.put({**pod, "spec": {"containers": []}, "status": {"phase": "Running"}})

    absent = orphans.absent(ENVIRONMENT, [JOB, OTHER_JOB, "j" + "c" * 20], ports=scene.ports)

    assert absent == {"j" + "c" * 20}, "of the first its release is there"


def test_nothing_is_looked_for_when_the_run_of_a_job_goes_that_left_nothing(scene: Scene) -> None:
    clean_end = runs.task("uninstall", "True", "Succeeded", outcome=runs.CLEAN)
    scene.has_run(
        runs.task("install", "True", "Succeeded", outcome=runs.INSTALLED),
        runs.task("wait", "True", "Succeeded", outcome=runs.SCORED),
        clean_end,
        status="True",
        reason="Succeeded",
    )
    scene.round()
    scene.round()
    assert_the_end_of_its_run_costs_no_look(scene)


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


def test_in_a_dry_run_nothing_changes(tmp_path: Path) -> None:
    scene = made(tmp_path, settings=JanitorSettings(is_enabled=True, is_dry_run=True))
    scene.world.board.mirror.start()
    before = scene.left()

    (planned,) = scene.round()
    told = leftovers([ENVIRONMENT], is_dry_run=True, ports=scene.ports)
    scene.world.board.mirror.stop()

    metrics = Metrics(scene.world.board, (ENVIRONMENT,), is_dry_run=True)
    metrics.cleaned(planned)
    labels = {"environment": ENVIRONMENT, "outcome": "planned"}
    assert metrics.registry.get_sample_value("modelops_janitor_releases_total", labels) == 1
    assert [(item.orphan.release, item.action) for item in told] == [(JOB, Action.WOULD_REMOVE)]
    assert (planned.is_gone, scene.left()) == (False, before)


def test_what_is_asked_for_is_done_at_once(scene: Scene) -> None:
    (item,) = leftovers([ENVIRONMENT, OTHER], is_dry_run=False, ports=scene.ports)

    assert (item.action, item.orphan.environment) == (Action.REMOVED, ENVIRONMENT)
    assert scene.left() == []
    assert leftovers([ENVIRONMENT], is_dry_run=False, ports=scene.ports) == ()


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


def test_the_backlog_pauses_ever_longer(scene: Scene) -> None:
    backlog, key = Backlog(scene.world.board), (ENVIRONMENT, JOB)
    scene.has_run(runs.task("wait"))
    backlog.add(key, now=0.0)
    looks, now = [], 0.0
    while now < 1000:
        if backlog.due(now=now):
            looks.append(now)
            backlog.again(key, now=now)
        now += 1
    assert looks[:5] == [0, 5, 10, 15, 25]
    assert looks[-1] - looks[-2] == 300
