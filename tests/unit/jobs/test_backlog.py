"""What the janitor looks at, and how much it asks the cluster for that."""

from __future__ import annotations

from scheduler import names
from scheduler.jobs import orphans
from scheduler.jobs.backlog import Backlog
from tests.unit.jobs.scenes import Scene
from tests.unit.tasks.releases import JOB
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT

OTHER_JOB = "j" + "b" * 20


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
