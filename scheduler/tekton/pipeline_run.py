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

PENDING: Final = "PipelineRunPending"
CANCELLED: Final = "Cancelled"
CANCELLED_RUN_FINALLY: Final = "CancelledRunFinally"
_USER: Final = 10001
_MARGIN_SECONDS: Final = 60
"""Room for a program to notice its own deadline and write its result before Tekton kills it."""
_PIPELINE_MARGIN_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All that a run is made of."""

    job_id: str
    namespace: str
    submission: Submission
    deadlines: Deadlines
    input_name: str
    """Name of the ConfigMap with IR and Values."""
    body_digest: str
    ir_digest: str
    values_digest: str
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
            "name": request.job_id,
            "namespace": request.namespace,
            "labels": _labels(request),
            "annotations": _annotations(request),
        },
        "spec": {
            "status": PENDING,
            "pipelineRef": {"name": names.PIPELINE_NAME},
            "params": _params(request),
            "workspaces": [{"name": "input", "configMap": {"name": request.input_name}}],
            "timeouts": _timeouts(request.deadlines),
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


def cancel_pending(*, by: str, at: str, mode: str) -> Sequence[Mapping[str, object]]:
    """The JSON patch that ends a pending run at once: nothing of it was installed, so nothing is torn down."""
    path = "/metadata/annotations/" + names.CANCELLED_BY.replace("/", "~1")
    return (
        {"op": "test", "path": "/spec/status", "value": PENDING},
        {"op": "replace", "path": "/spec/status", "value": CANCELLED},
        {"op": "add", "path": path, "value": _cancelled_by(by, at, mode)},
    )


def cancel(*, by: str, at: str, mode: str) -> Manifest:
    """The merge patch that ends a started run and still tears it down.

    Plain `Cancelled` would skip `finally` and leave the release behind (Tekton, pipelineruns.md, "Cancelling").
    """
    return {
        "metadata": {"annotations": {names.CANCELLED_BY: _cancelled_by(by, at, mode)}},
        "spec": {"status": CANCELLED_RUN_FINALLY},
    }


def _cancelled_by(by: str, at: str, mode: str) -> str:
    return _json({"by": by, "at": at, "mode": mode})


def _labels(request: Request) -> Mapping[str, str]:
    own = {names.USER_LABEL_PREFIX + key: value for key, value in request.submission.labels.items()}
    platform = {names.PLATFORM: request.platform} if request.platform else {}
    return {**names.record_labels(request.job_id), names.PIPELINE: request.submission.pipeline, **platform, **own}


def _annotations(request: Request) -> Mapping[str, str]:
    return {
        names.INPUT: request.input_name,
        names.BODY_DIGEST: request.body_digest,
        names.IR_DIGEST: request.ir_digest,
        names.VALUES_DIGEST: request.values_digest,
        names.JOB: _json(job_json.submission_to_json(request.submission)),
    }


def _params(request: Request) -> list[Mapping[str, str]]:
    limits = request.deadlines
    values = {
        "job-id": request.job_id,
        "image": request.task_image,
        "ir-digest": request.ir_digest,
        "values-digest": request.values_digest,
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
    phases = limits.queue_seconds + limits.install_seconds + limits.ready_seconds + limits.run_seconds
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


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
