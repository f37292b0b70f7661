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
from tests.unit.tekton.runs import CLEAN, INSTALLED, JOB, LEDGER, SCORED, run, task, wait_pod

DRAINED_BY_ADA = {names.DRAIN: {"by": "ada", "at": "2026-01-01T10:05:00Z"}}
DRAINED_EARLY = {names.CANCELLED_BY: {"by": "ada", "at": "2026-01-01T10:05:00Z", "mode": "drain"}}
BY_ADA = {names.CANCELLED_BY: {"by": "ada", "at": "2026-01-01T10:05:00Z", "mode": "cancel"}}
BY_QUEUE = {names.CANCELLED_BY: {"by": "modelops", "at": "2026-01-01T10:05:00Z", "mode": "queue-deadline"}}
QUEUED_MESSAGE = "0/1 nodes are available: insufficient cpu"
OK_INSTALL = task("install", "True", "Succeeded", outcome=INSTALLED)
OK_WAIT = task("wait", "True", "Succeeded", outcome=SCORED)
OK_UNINSTALL = task("uninstall", "True", "Succeeded", outcome=CLEAN)
LEAKED = {"cleanup": "LEAKED", "leftovers": ["Pod/x"], "message": "Pod/x is still there"}

S, R, C = JobState, Reason, Cleanup


def failed_wait(reason: str, message: str = "words", **more: object) -> dict[str, object]:
    outcome = {"outcome": "Failed", "reason": reason, "message": message, **more}
    return task("wait", "False", "Failed", "exited with 1", outcome=outcome)


SITUATIONS: list[tuple[str, dict[str, Any], list[Any], list[Any], tuple[JobState, Cleanup, str, Reason]]] = [
    ("pending", run(spec_status="PipelineRunPending"), [], [], (S.QUEUED, C.NOT_NEEDED, "", R.NONE)),
    ("just started", run(reason="Started"), [], [], (S.QUEUED, C.NOT_NEEDED, "", R.NONE)),
    (
        "no room for the install pod",
        run(),
        [task("install", reason="Pending", message=QUEUED_MESSAGE, started=False)],
        [],
        (S.QUEUED, C.NOT_NEEDED, "install", R.NONE),
    ),
    ("installing", run(), [task("install")], [], (S.INSTALLING, C.PENDING, "install", R.NONE)),
    ("between tasks", run(), [OK_INSTALL], [], (S.INSTALLING, C.PENDING, "install", R.NONE)),
    (
        "services become ready",
        run(),
        [OK_INSTALL, task("wait")],
        [wait_pod({"phase": "starting"})],
        (S.INSTALLING, C.PENDING, "wait", R.NONE),
    ),
    (
        "scoring",
        run(),
        [OK_INSTALL, task("wait")],
        [wait_pod({"phase": "running"})],
        (S.RUNNING, C.PENDING, "wait", R.NONE),
    ),
    (
        "draining",
        run(annotations={names.DRAIN: {"by": "ada", "at": "2026-01-01T10:05:00Z"}}),
        [OK_INSTALL, task("wait")],
        [wait_pod({"phase": "running"})],
        (S.DRAINING, C.PENDING, "wait", R.NONE),
    ),
    (
        "a stream was drained",
        run("True", "Succeeded", annotations=DRAINED_BY_ADA),
        [OK_INSTALL, task("wait", "True", outcome={**SCORED, "reason": "Drained"}), OK_UNINSTALL],
        [],
        (S.SUCCEEDED, C.CLEAN, "", R.DRAINED),
    ),
    (
        "a batch was drained",
        run("False", "Failed", annotations=DRAINED_BY_ADA),
        [OK_INSTALL, failed_wait("Drained"), OK_UNINSTALL],
        [],
        (S.CANCELLED, C.CLEAN, "wait", R.DRAINED),
    ),
    (
        "a drained batch failed before it heard",
        run("False", "Failed", annotations=DRAINED_BY_ADA),
        [OK_INSTALL, failed_wait("DiskFull"), OK_UNINSTALL],
        [],
        (S.FAILED, C.CLEAN, "wait", R.DISK_FULL),
    ),
    (
        "the flow's pods were stopped, by nobody's wish",
        run("False", "Failed"),
        [OK_INSTALL, failed_wait("Drained"), OK_UNINSTALL],
        [],
        (S.FAILED, C.CLEAN, "wait", R.DRAINED),
    ),
    (
        "drained while pending",
        run("False", "Cancelled", spec_status="Cancelled", annotations=DRAINED_EARLY),
        [],
        [],
        (S.CANCELLED, C.NOT_NEEDED, "", R.DRAINED),
    ),
    (
        "drained while installing",
        run("False", "Cancelled", spec_status="CancelledRunFinally", annotations=DRAINED_EARLY),
        [task("install", "False", "TaskRunCancelled"), OK_UNINSTALL],
        [],
        (S.CANCELLED, C.CLEAN, "install", R.DRAINED),
    ),
    (
        "drained, then cancelled",
        run("False", "Cancelled", spec_status="CancelledRunFinally", annotations={**DRAINED_BY_ADA, **BY_ADA}),
        [OK_INSTALL, task("wait", "False", "TaskRunCancelled"), OK_UNINSTALL],
        [],
        (S.CANCELLED, C.CLEAN, "wait", R.CANCELLED),
    ),
    ("scored", run(), [OK_INSTALL, OK_WAIT], [], (S.FINISHING, C.PENDING, "wait", R.NONE)),
    (
        "uninstalling",
        run(),
        [OK_INSTALL, OK_WAIT, task("uninstall")],
        [],
        (S.FINISHING, C.PENDING, "uninstall", R.NONE),
    ),
    (
        "done",
        run("True", "Succeeded"),
        [OK_INSTALL, OK_WAIT, OK_UNINSTALL],
        [],
        (S.SUCCEEDED, C.CLEAN, "", R.COMPLETED),
    ),
    (
        "completed by request",
        run("True", "Succeeded"),
        [OK_INSTALL, task("wait", "True", outcome={**SCORED, "reason": "CompletedByRequest"}), OK_UNINSTALL],
        [],
        (S.SUCCEEDED, C.CLEAN, "", R.COMPLETED_BY_REQUEST),
    ),
    (
        "done but leaked",
        run("False", "Failed"),
        [OK_INSTALL, OK_WAIT, task("uninstall", "False", "Failed", outcome=LEAKED)],
        [],
        (S.SUCCEEDED, C.LEAKED, "uninstall", R.LEAKED),
    ),
    (
        "done, cleanup too slow",
        run("False", "Failed"),
        [OK_INSTALL, OK_WAIT, task("uninstall", "False", "TaskRunTimeout", "failed to finish within 10m")],
        [],
        (S.SUCCEEDED, C.LEAKED, "uninstall", R.FINISH_DEADLINE),
    ),
    (
        "success without counts is none",
        run("True", "Completed"),
        [OK_INSTALL, task("wait", "True"), OK_UNINSTALL],
        [],
        (S.FAILED, C.CLEAN, "wait", R.COUNTS_LOST),
    ),
    (
        "flow failed",
        run("False", "Failed"),
        [OK_INSTALL, failed_wait("TooManyDeadLetters"), OK_UNINSTALL],
        [],
        (S.FAILED, C.CLEAN, "wait", R.TOO_MANY_DEAD_LETTERS),
    ),
    (
        "a reason that nobody knows",
        run("False", "Failed"),
        [OK_INSTALL, failed_wait("Eclipse"), OK_UNINSTALL],
        [],
        (S.FAILED, C.CLEAN, "wait", R.TEKTON),
    ),
    (
        "ready deadline",
        run("False", "Failed"),
        [OK_INSTALL, failed_wait("ReadyDeadline"), OK_UNINSTALL],
        [],
        (S.TIMED_OUT, C.CLEAN, "wait", R.READY_DEADLINE),
    ),
    (
        "install failed",
        run("False", "Failed"),
        [
            task(
                "install", "False", "Failed", outcome={"outcome": "Failed", "reason": "InstallFailed", "message": "x"}
            ),
            OK_UNINSTALL,
        ],
        [],
        (S.FAILED, C.CLEAN, "install", R.INSTALL_FAILED),
    ),
    (
        "install cut off by Tekton",
        run("False", "Failed"),
        [task("install", "False", "TaskRunTimeout", "failed to finish"), OK_UNINSTALL],
        [],
        (S.TIMED_OUT, C.CLEAN, "install", R.INSTALL_DEADLINE),
    ),
    (
        "task image missing",
        run("False", "Failed"),
        [task("install", "False", "TaskRunImagePullFailed", "no such image", started=False)],
        [],
        (S.FAILED, C.NOT_NEEDED, "install", R.IMAGE_MISSING),
    ),
    (
        "wait out of memory",
        run("False", "Failed"),
        [OK_INSTALL, task("wait", "False", "StepOOM", "killed"), OK_UNINSTALL],
        [],
        (S.FAILED, C.CLEAN, "wait", R.OUT_OF_MEMORY),
    ),
    (
        "whole run timed out",
        run("False", "PipelineRunTimeout", "failed to finish within 3h"),
        [OK_INSTALL, task("wait", "False", "TaskRunCancelled")],
        [],
        (S.TIMED_OUT, C.LEAKED, "wait", R.RUN_DEADLINE),
    ),
    (
        "whole run timed out, and its task not yet stopped",
        run("False", "PipelineRunTimeout", "failed to finish within 3h"),
        [OK_INSTALL, task("wait")],
        [],
        (S.FINISHING, C.PENDING, "wait", R.NONE),
    ),
    (
        "no pipeline",
        run("False", "CouldntGetPipeline", "pipelines scoring-job-v1 not found"),
        [],
        [],
        (S.FAILED, C.NOT_NEEDED, "", R.TEKTON),
    ),
    ("unknown reason, unknown status", run("Maybe", "Eclipse"), [], [], (S.QUEUED, C.NOT_NEEDED, "", R.NONE)),
    (
        "cancelled while pending",
        run("False", "Cancelled", spec_status="Cancelled", annotations=BY_ADA),
        [],
        [],
        (S.CANCELLED, C.NOT_NEEDED, "", R.CANCELLED),
    ),
    (
        "cancelling",
        run(reason="CancelledRunningFinally", spec_status="CancelledRunFinally", annotations=BY_ADA),
        [OK_INSTALL, task("wait", "False", "TaskRunCancelled"), task("uninstall")],
        [],
        (S.CANCELLING, C.PENDING, "uninstall", R.NONE),
    ),
    (
        "cancelled when the scoring was over",
        run(spec_status="CancelledRunFinally", annotations=BY_ADA),
        [OK_INSTALL, OK_WAIT, task("uninstall")],
        [],
        (S.FINISHING, C.PENDING, "uninstall", R.NONE),
    ),
    (
        "cancelled while installing",
        run("False", "Cancelled", spec_status="CancelledRunFinally", annotations=BY_ADA),
        [task("install", "False", "TaskRunCancelled"), OK_UNINSTALL],
        [],
        (S.CANCELLED, C.CLEAN, "install", R.CANCELLED),
    ),
    (
        "cancelled, and the uninstall failed",
        run("False", "Failed", spec_status="CancelledRunFinally", annotations=BY_ADA),
        [
            OK_INSTALL,
            task("wait", "False", "TaskRunCancelled"),
            task("uninstall", "False", "Failed", outcome=LEAKED),
        ],
        [],
        (S.CANCELLED, C.LEAKED, "wait", R.CANCELLED),
    ),
    (
        "cancelled by hand, plainly: nothing proves a cleanup",
        run("False", "Cancelled", spec_status="Cancelled"),
        [OK_INSTALL, task("wait", "False", "TaskRunCancelled")],
        [],
        (S.CANCELLED, C.LEAKED, "wait", R.CANCELLED),
    ),
    (
        "cancelled after the scoring was over",
        run("True", "Completed", spec_status="CancelledRunFinally", annotations=BY_ADA),
        [OK_INSTALL, OK_WAIT, OK_UNINSTALL],
        [],
        (S.SUCCEEDED, C.CLEAN, "", R.COMPLETED),
    ),
    (
        "failed, then cancelled",
        run("False", "Failed", spec_status="CancelledRunFinally", annotations=BY_ADA),
        [OK_INSTALL, failed_wait("FlowCrashed"), OK_UNINSTALL],
        [],
        (S.FAILED, C.CLEAN, "wait", R.FLOW_CRASHED),
    ),
    (
        "queue deadline while pending",
        run("False", "Cancelled", spec_status="Cancelled", annotations=BY_QUEUE),
        [],
        [],
        (S.TIMED_OUT, C.NOT_NEEDED, "", R.QUEUE_DEADLINE),
    ),
]


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

    assert (job.state, job.message) == (S.QUEUED, said)


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
