"""The PipelineRun of a job: its shape when it is created, and the patches that start and end it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.model import job_json
from scheduler.model.job import Submission
from scheduler.model.pipeline import Deadlines
from scheduler.model.types import Manifest
from scheduler.tekton import view
from scheduler.tekton.job_input import JobInput

PENDING: Final = "PipelineRunPending"
CANCELLED: Final = "Cancelled"
CANCELLED_RUN_FINALLY: Final = "CancelledRunFinally"
FORCE: Final = "force"
"""`mode` of a cancellation that skips the run's own teardown: the janitor removes the release."""
_USER: Final = 10001
_MARGIN_SECONDS: Final = 60
"""Room for a program to notice its own deadline and write its result before Tekton kills it."""
_PIPELINE_MARGIN_SECONDS: Final = 300
_FOR_EVER_SECONDS: Final = 10 * 365 * 24 * 3600
"""What stands behind a phase without a deadline: Tekton refuses a run without a limit that has one for `finally`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All that a run is made of."""

    input: JobInput
    task_image: str
    """By digest."""
    priority_class: str = ""
    log_level: str = "info"
    pull_secrets: tuple[str, ...] = ()
    platform: str = ""


def build(request: Request) -> Manifest:
    """The run, pending: nothing starts before `start` is applied."""
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": request.input.job_id,
            "namespace": request.input.namespace,
            "labels": _labels(request),
            "annotations": {names.INPUT: request.input.name, **request.input.annotations},
        },
        "spec": {
            "status": PENDING,
            "pipelineRef": {"name": names.PIPELINE_NAME},
            "params": _params(request),
            "workspaces": [{"name": "input", "configMap": {"name": request.input.name}}],
            "timeouts": _timeouts(deadlines_of(request.input.submission)),
            "taskRunTemplate": {
                "serviceAccountName": names.RUNNER_ACCOUNT,
                "podTemplate": _pod_template(request),
            },
        },
    }


def start() -> Sequence[Mapping[str, object]]:
    """The JSON patch that lets a pending run go; it does not apply to a run that is pending no more."""
    return (
        {"op": "test", "path": "/spec/status", "value": PENDING},
        {"op": "remove", "path": "/spec/status"},
    )


def cancel_pending(*, by: str, at: str, mode: str, why: str = "") -> Sequence[Mapping[str, object]]:
    """The JSON patch that ends a pending run at once: nothing of it was installed, so nothing is torn down."""
    path = "/metadata/annotations/" + names.CANCELLED_BY.replace("/", "~1")
    return (
        {"op": "test", "path": "/spec/status", "value": PENDING},
        {"op": "replace", "path": "/spec/status", "value": CANCELLED},
        {"op": "add", "path": path, "value": _cancelled_by(by, at, mode, why)},
    )


def cancel(*, by: str, at: str, mode: str, why: str = "") -> Manifest:
    """The merge patch that ends a started run and still tears it down.

    Plain `Cancelled` would skip `finally` and leave the release behind (Tekton, pipelineruns.md, "Cancelling"), which
    is what FORCE wants: no pod of the run is waited for, and the janitor does the rest.
    """
    status = CANCELLED if mode == FORCE else CANCELLED_RUN_FINALLY
    return {
        "metadata": {"annotations": {names.CANCELLED_BY: _cancelled_by(by, at, mode, why)}},
        "spec": {"status": status},
    }


def is_forced(run: Manifest) -> bool:
    """Whether somebody asked to end the run by force."""
    return job_json.parse(view.mapping(run, "metadata", "annotations").get(names.CANCELLED_BY)).get("mode") == FORCE


def deadlines_of(submission: Submission) -> Deadlines:
    """The job's deadlines as typed seconds; a phase that is not noted has its default."""
    known = {f"{phase}_seconds": seconds for phase, seconds in submission.deadlines.items()}
    return Deadlines(**{name: known[name] for name in Deadlines.__slots__ if name in known})


def _cancelled_by(by: str, at: str, mode: str, why: str) -> str:
    return json.dumps({"by": by, "at": at, "mode": mode, **({"why": why} if why else {})}, sort_keys=True)


def _labels(request: Request) -> Mapping[str, str]:
    submission = request.input.submission
    own = {names.USER_LABEL_PREFIX + key: value for key, value in submission.labels.items()}
    platform = {names.PLATFORM: request.platform} if request.platform else {}
    return {**names.record_labels(request.input.job_id), names.PIPELINE: submission.pipeline, **platform, **own}


def _params(request: Request) -> list[Mapping[str, str]]:
    limits = deadlines_of(request.input.submission)
    values = {
        "job-id": request.input.job_id,
        "image": request.task_image,
        "ir-digest": request.input.ir_digest,
        "values-digest": request.input.values_digest,
        "install-seconds": str(limits.install_seconds),
        "ready-seconds": str(limits.ready_seconds),
        "run-seconds": str(limits.run_seconds),
        "finish-seconds": str(limits.finish_seconds),
        "log-level": request.log_level,
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _timeouts(limits: Deadlines) -> Mapping[str, str]:
    """All three, always: Tekton's defaults would cut long jobs, and skip `finally` of late ones.

    Each phase keeps its own deadline (server: queue; programs: the others). These stand behind them, and a task pod
    that waits for room in the cluster uses up the time of `tasks`, so that the queue's share belongs to it.
    """
    run = limits.run_seconds or _FOR_EVER_SECONDS
    phases = limits.queue_seconds + limits.install_seconds + limits.ready_seconds + run
    tasks, finish = phases + _MARGIN_SECONDS, limits.finish_seconds + _MARGIN_SECONDS
    return {
        "pipeline": f"{tasks + finish + _PIPELINE_MARGIN_SECONDS}s",
        "tasks": f"{tasks}s",
        "finally": f"{finish}s",
    }


def _pod_template(request: Request) -> Mapping[str, object]:
    template: dict[str, object] = {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "enableServiceLinks": False,
    }
    if request.priority_class:
        template["priorityClassName"] = request.priority_class
    if request.pull_secrets:
        template["imagePullSecrets"] = [{"name": name} for name in request.pull_secrets]
    return template
