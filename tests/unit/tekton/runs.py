"""Runs, task runs and pods as Tekton writes them, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping

from scheduler import names
from scheduler.model.job import Submission
from scheduler.tekton import pipeline_run
from scheduler.tekton.job_input import JobInput

JOB = "j" + "a" * 20
START = "2026-01-01T10:00:00Z"

INPUT = JobInput(
    job_id=JOB,
    namespace="staging",
    submission=Submission(
        pipeline="flight-delay",
        revision=3,
        parameters={"threshold": 0.5},
        labels={"team": "ops"},
        deadlines={"queue": 3600, "install": 300, "ready": 300, "run": 7200, "finish": 600},
        submitted_by="ada",
        submitted_at=START,
    ),
    body_digest="sha256:b",
    ir_digest="sha256:i",
    values_digest="sha256:v",
)
REQUEST = pipeline_run.Request(
    input=INPUT,
    task_image="registry.example/scheduling-server@sha256:1",
    priority_class="modelops-task",
    platform="modelops.one",
)


def run(
    status: str = "Unknown",
    reason: str = "Running",
    message: str = "",
    *,
    spec_status: str = "",
    annotations: Mapping[str, object] | None = None,
) -> dict[str, object]:
    made = pipeline_run.build(REQUEST)
    notes = {key: json.dumps(value) for key, value in (annotations or {}).items()}
    spec = {**made["spec"], "status": spec_status}
    if not spec_status:
        del spec["status"]
    metadata = {
        **made["metadata"],
        "creationTimestamp": START,
        "resourceVersion": "7",
        "uid": "u-1",
        "annotations": {**made["metadata"]["annotations"], **notes},
    }
    condition = {"type": "Succeeded", "status": status, "reason": reason, "message": message}
    done = {"completionTime": "2026-01-01T10:09:00Z"} if status != "Unknown" else {}
    return {**made, "metadata": metadata, "spec": spec, "status": {"conditions": [condition], **done}}


def task(
    name: str,
    status: str = "Unknown",
    reason: str = "Running",
    message: str = "",
    *,
    outcome: Mapping[str, object] | None = None,
    started: bool = True,
) -> dict[str, object]:
    minute = {"install": 1, "wait": 3, "uninstall": 8}[name]
    results = [{"name": "outcome", "type": "string", "value": json.dumps(outcome)}] if outcome is not None else []
    steps = [{"name": name, "running": {"startedAt": f"2026-01-01T10:0{minute}:02Z"}}] if started else []
    done = {"completionTime": f"2026-01-01T10:0{minute}:50Z"} if status != "Unknown" else {}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {
            "name": f"{JOB}-{name}",
            "namespace": "staging",
            "creationTimestamp": f"2026-01-01T10:0{minute}:00Z",
            "labels": {names.JOB_ID: JOB, names.TEKTON_PIPELINE_TASK: name, names.TEKTON_PIPELINE_RUN: JOB},
        },
        "status": {
            "conditions": [{"type": "Succeeded", "status": status, "reason": reason, "message": message}],
            "results": results,
            "steps": steps,
            **done,
        },
    }


def wait_pod(progress: Mapping[str, object]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{JOB}-wait-pod",
            "namespace": "staging",
            "labels": {names.JOB_ID: JOB, names.TEKTON_PIPELINE_TASK: "wait"},
            "annotations": {names.PROGRESS: json.dumps(progress)},
        },
        "spec": {"containers": [{"name": "step-wait"}]},
    }


INSTALLED = {"outcome": "Succeeded", "reason": "", "message": "installed", "chartDigest": "sha256:c"}
LEDGER = {"read": 10, "written": 8, "deadLettered": 1, "dropped": 0, "filtered": 1, "split": 0, "folded": 0}
SCORED = {
    "outcome": "Succeeded",
    "reason": "Completed",
    "message": "10 records",
    "ledger": LEDGER,
    "total": 10,
    "seconds": 4.0,
}
CLEAN = {"cleanup": "CLEAN", "leftovers": [], "message": "nothing is left"}
