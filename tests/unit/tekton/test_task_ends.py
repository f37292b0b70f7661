"""What is said of a task that could not start, or whose pod was taken away."""

from __future__ import annotations

import pytest

from scheduler import names
from scheduler.model.job import JobState, Reason
from scheduler.tekton import slim
from scheduler.tekton.job_status import project
from tests.unit.tekton.runs import CLEAN, INSTALLED, JOB, run, task, wait_pod

OK_INSTALL = task("install", "True", "Succeeded", outcome=INSTALLED)
OK_UNINSTALL = task("uninstall", "True", "Succeeded", outcome=CLEAN)


def test_a_task_without_a_node_says_what_its_pod_says() -> None:
    """Tekton writes only that something is short."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "1 Insufficient cpu"}
    waiting = {**wait_pod({}), "status": {"phase": "Pending", "conditions": [condition]}}
    waiting["metadata"] = {**waiting["metadata"], "labels": {names.TEKTON_PIPELINE_TASK: "install", names.JOB_ID: JOB}}  # type: ignore[dict-item]
    short = task("install", reason="ExceededNodeResources", message="exceeded available resources", started=False)

    for pod in (waiting, slim.pod(waiting)):
        assert (
            project(run(), task_runs=[short], pods=[pod]).message == "task install waits for a node: 1 Insufficient cpu"
        )


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("StepFailed", '"step-wait" exited with code 143: Error'),
        ("StepFailed", '"step-wait" exited with code 137: Error'),
        ("StepFailed", '"step-wait" exited with code 255: Error'),
        ("Failed", "build failed for unspecified reasons."),
        ("PodEvicted", "The node was low on resource: memory."),
    ],
)
def test_a_task_whose_pod_was_taken_away_is_told_by_name(reason: str, message: str) -> None:
    job = project(run("False", "Failed"), task_runs=[OK_INSTALL, task("wait", "False", reason, message), OK_UNINSTALL])

    assert (job.state, job.task, job.reason) == (JobState.FAILED, "wait", Reason.TASK_POD_LOST)
    assert job.message == f"the pod of task wait was ended from outside ({reason}: {message})"


@pytest.mark.parametrize(
    ("minute", "end"), [(2, ("install", Reason.TASK_POD_LOST)), (8, ("wait", Reason.RELEASE_DELETED))]
)
def test_a_teardown_that_began_before_wait_was_no_deletion_by_hand(minute: int, end: tuple[str, Reason]) -> None:
    """Tekton had given install up, began with `finally`, and ran install once more."""
    gone = {"outcome": "Failed", "reason": "ReleaseDeleted", "message": "nothing of the job's release is there"}
    teardown = task("uninstall", "True", "Succeeded", outcome=CLEAN)
    teardown["metadata"] = {**teardown["metadata"], "creationTimestamp": f"2026-01-01T10:0{minute}:00Z"}  # type: ignore[dict-item]

    tasks = [OK_INSTALL, task("wait", "False", "Failed", outcome=gone), teardown]
    job = project(run("False", "Failed"), task_runs=tasks, pods=[])

    assert (job.state, (job.task, job.reason)) == (JobState.FAILED, end)


def test_a_task_that_crashed_by_itself_keeps_tektons_words() -> None:
    crashed = task("wait", "False", "StepFailed", '"step-wait" exited with code 1: Error')
    job = project(run("False", "Failed"), task_runs=[OK_INSTALL, crashed, OK_UNINSTALL])

    assert (job.reason, job.message) == (Reason.TEKTON, 'StepFailed: "step-wait" exited with code 1: Error')


def test_the_queue_deadline_says_how_long_it_was_and_what_the_job_waited_for() -> None:
    waited = "task install waits for a node: no cpu"
    note = {"by": "modelops", "at": "2026-01-01T10:05:00Z", "mode": "queue-deadline", "why": waited}
    late = run("False", "Cancelled", spec_status="CancelledRunFinally", annotations={names.CANCELLED_BY: note})

    found = project(late, task_runs=[task("install", "False", "TaskRunCancelled", started=False), OK_UNINSTALL])

    assert found.message == (
        "the job waited longer than its queue deadline of 3600 s: task install waits for a node: no cpu"
    )
