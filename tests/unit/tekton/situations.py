"""What the cluster may show of a job, and the job that is made of it."""

from __future__ import annotations

from typing import Any

from scheduler import names
from scheduler.model.job import Cleanup, JobState, Reason
from tests.unit.tekton.runs import CLEAN, INSTALLED, SCORED, run, task, wait_pod

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
