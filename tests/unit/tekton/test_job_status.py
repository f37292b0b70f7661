"""The projection from run to job: one table of situations, and that nothing makes it raise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import names
from scheduler.model import job_json
from scheduler.model.job import Cleanup, Job, JobState, Reason
from scheduler.tekton import job_status
from tests.unit.tekton.runs import JOB, LEDGER, run, task, wait_pod
from tests.unit.tekton.situations import (
    DRAINED_BY_ADA,
    OK_INSTALL,
    OK_UNINSTALL,
    OK_WAIT,
    QUEUED_MESSAGE,
    SITUATIONS,
    failed_wait,
)


def project(a_run: object, task_runs: object = (), pods: object = ()) -> Job:
    return job_status.project(a_run, task_runs=task_runs, pods=pods)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a_run", "task_runs", "pods", "expected"),
    [entry[1:] for entry in SITUATIONS],
    ids=[entry[0] for entry in SITUATIONS],
)
def test_each_situation_has_its_state(
    a_run: dict[str, Any], task_runs: list[Any], pods: list[Any], expected: tuple[JobState, Cleanup, str, Reason]
) -> None:
    job = project(a_run, task_runs, pods)

    assert (job.state, job.cleanup, job.task, job.reason) == expected


def test_a_failed_job_is_diagnosed_and_a_good_one_is_not() -> None:
    bad = project(run("False", "Failed"), [OK_INSTALL, failed_wait("SourceMissing", "no file x"), OK_UNINSTALL])
    good = project(run("True", "Succeeded"), [OK_INSTALL, OK_WAIT, OK_UNINSTALL])

    assert bad.message == "no file x"
    assert bad.diagnosis is not None
    assert (bad.diagnosis.category, bad.diagnosis.detail) == ("data", "no file x")
    assert good.diagnosis is None


@pytest.mark.parametrize("reason", ["CompletedByRequest", "Drained"])
def test_a_job_that_was_ended_badly_from_outside_is_diagnosed_too(reason: str) -> None:
    job = project(run("False", "Failed"), [OK_INSTALL, failed_wait(reason, "declared failed by anna"), OK_UNINSTALL])

    assert (job.state, job.reason) == (JobState.FAILED, Reason(reason))
    assert job.diagnosis is not None
    assert (job.diagnosis.category, job.diagnosis.detail) == ("user", "declared failed by anna")


def test_what_wait_diagnosed_is_kept() -> None:
    found = {"category": "capacity", "summary": "The node is full.", "detail": "cpu", "resolution": "Add a node."}

    job = project(run("False", "Failed"), [OK_INSTALL, failed_wait("Unschedulable", diagnosis=found), OK_UNINSTALL])

    assert job.diagnosis is not None
    assert job_json.diagnosis_to_json(job.diagnosis) == found


def test_an_unknown_reason_keeps_its_words() -> None:
    by_us = project(run("False", "Failed"), [OK_INSTALL, failed_wait("Eclipse", "the sun is gone"), OK_UNINSTALL])
    by_tekton = project(run("False", "CouldntGetPipeline", "pipelines x not found"))

    assert by_us.message == "Eclipse: the sun is gone"
    assert by_tekton.message == "CouldntGetPipeline: pipelines x not found"


def test_the_counts_are_those_of_the_end() -> None:
    early = wait_pod({"phase": "running", "ledger": {"read": 3}, "recordsPerSecond": 2.0})

    running = project(run(), [OK_INSTALL, task("wait")], [early])
    done = project(run("True", "Succeeded"), [OK_INSTALL, OK_WAIT, OK_UNINSTALL], [early])

    assert running.records is not None
    assert done.records is not None
    assert (running.records.read, running.records_per_second) == (3, 2.0)
    assert (job_json.ledger_to_json(done.records), done.records_per_second) == (LEDGER, 2.5)


def test_each_state_has_the_time_that_the_cluster_knows() -> None:
    job = project(run("True", "Succeeded"), [OK_INSTALL, OK_WAIT, OK_UNINSTALL])

    assert dict(job.timestamps) == {
        "QUEUED": "2026-01-01T10:00:00Z",
        "INSTALLING": "2026-01-01T10:01:02Z",
        "RUNNING": "2026-01-01T10:03:46Z",
        "FINISHING": "2026-01-01T10:08:00Z",
        "SUCCEEDED": "2026-01-01T10:09:00Z",
    }


def pod_status(kind: str, message: str = "") -> str:
    """As Tekton 1.15 writes it."""
    return f'pod status "{kind}":"False"; message: "{message}"'


@pytest.mark.parametrize(
    ("reason", "message", "said"),
    [
        ("Pending", pod_status("PodScheduled", QUEUED_MESSAGE), f"task install waits for a node: {QUEUED_MESSAGE}"),
        ("Pending", pod_status("PodScheduled"), "task install waits for a node"),
        ("Pending", pod_status("PodReadyToStartContainers"), "task install starts"),
        ("Pending", pod_status("Initialized", "containers with incomplete status: [prepare]"), "task install starts"),
        ("Pending", "Pending", "task install starts"),
        ("Started", "Not all Steps in the Task have started executing", "task install starts"),
        ("Pending", "", "task install starts"),
        (
            "ExceededResourceQuota",
            "TaskRun Pod exceeded available resources",
            "task install waits: ExceededResourceQuota: TaskRun Pod exceeded available resources",
        ),
        (
            "ExceededResourceQuota",
            "TaskRun Pod exceeded available resources: exceeded quota: tasks, used: pods=1",
            "task install waits for room in the environment's quota: exceeded quota: tasks, used: pods=1",
        ),
        ("PullImageFailed", "back-off pulling", "task install waits: PullImageFailed: back-off pulling"),
        ("Pending", pod_status("Moonrise", "soon"), f"task install waits: Pending: {pod_status('Moonrise', 'soon')}"),
    ],
)
def test_a_queued_job_says_what_it_waits_for(reason: str, message: str, said: str) -> None:
    job = project(run(), [task("install", reason=reason, message=message, started=False)])

    assert (job.state, job.message) == (JobState.QUEUED, said)


def test_a_later_task_says_so_too() -> None:
    waiting = task("wait", reason="Pending", message=pod_status("PodScheduled", "no room"), started=False)

    assert project(run(), [OK_INSTALL, waiting]).message == "task wait waits for a node: no room"


def test_a_step_that_never_ran_has_installed_nothing() -> None:
    """As Tekton 1.15 writes it: a start time, and no container."""
    never = task("install", "False", "TaskRunImagePullFailed", "no such image", started=False)
    step = {"reason": "TaskRunImagePullFailed", "startedAt": "2026-01-01T10:01:00Z", "exitCode": 1}
    ran = {**step, "containerID": "containerd://1"}

    def cleanup(terminated: dict[str, object]) -> Cleanup:
        steps = [{"name": "install", "terminated": terminated}]
        status = {**never["status"], "steps": steps}  # type: ignore[dict-item]
        return project(run("False", "Failed"), [{**never, "status": status}]).cleanup

    assert cleanup(step) == Cleanup.NOT_NEEDED
    assert cleanup(ran) == Cleanup.LEAKED


def test_what_was_submitted_comes_back() -> None:
    job = project(run(spec_status="PipelineRunPending"))

    assert (job.id, job.environment, job.submission.pipeline, job.submission.revision) == (
        JOB,
        "staging",
        "flight-delay",
        3,
    )
    assert job.submission.parameters == {"threshold": 0.5}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    labels=_JSON,
    outcome=_JSON,
    progress=_JSON,
    submission=_JSON,
    spec=_JSON,
    status=_JSON,
    step=_JSON,
    text=st.text(max_size=20),
)
def test_a_poisoned_object_makes_a_job_and_no_exception(  # noqa: PLR0917
    labels: object,
    outcome: object,
    progress: object,
    submission: object,
    spec: object,
    status: object,
    step: object,
    text: str,
) -> None:
    annotations = {names.JOB: json.dumps(submission), names.CANCELLED_BY: text, names.DRAIN: json.dumps(progress)}
    a_run = {"metadata": {"name": JOB, "labels": labels, "annotations": annotations}, "spec": spec, "status": status}
    value = {"outcome": outcome, "seconds": outcome, "ledger": outcome, "leftovers": outcome, "cleanup": outcome}
    poisoned = task("wait")
    poisoned["status"] = {
        "completionTime": text,
        "conditions": [step, {"type": "Succeeded", "status": "True"}],
        "steps": [step],
        "results": [step, {"name": "outcome", "value": json.dumps(value)}],
    }

    job = project(a_run, [poisoned, {"metadata": labels}], [wait_pod({"ledger": progress, "total": progress})])

    json.dumps(job_json.job_to_json(job), allow_nan=False)
    assert project({"metadata": status, "spec": status, "status": labels}).state in JobState


def test_a_drained_batch_says_who_drained_it() -> None:
    finished = run("False", "Failed", annotations=DRAINED_BY_ADA)

    job = job_status.project(finished, task_runs=[OK_INSTALL, failed_wait("Drained"), OK_UNINSTALL])

    assert job.message.startswith("drained by ada: ")
    assert job.diagnosis is not None
    assert job.diagnosis.category == "user"
