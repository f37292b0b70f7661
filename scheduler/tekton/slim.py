"""What is kept in memory of runs, task runs and task pods: enough for `job_status`, far less than Tekton writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from scheduler import names
from scheduler.model.types import Manifest

_METADATA: Final = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "labels")
_RUN_ANNOTATIONS: Final = (
    names.INPUT,
    names.BODY_DIGEST,
    names.JOB,
    names.COMPLETION,
    names.DRAIN,
    names.CANCELLED_BY,
    names.JANITOR,
)


def run(manifest: Manifest) -> Manifest:
    return _slim(
        manifest,
        annotations=_RUN_ANNOTATIONS,
        spec=_only(manifest.get("spec"), "status"),
        status=_only(manifest.get("status"), "conditions", "startTime", "completionTime", "childReferences"),
    )


def task_run(manifest: Manifest) -> Manifest:
    status = manifest.get("status")
    return _slim(
        manifest,
        status={
            **_only(status, "conditions", "startTime", "completionTime", "results", "podName"),
            "steps": [_only(step, "name", "running", "terminated") for step in (status or {}).get("steps") or ()],
        },
    )


def pod(manifest: Manifest) -> Manifest:
    containers = [_only(container, "name") for container in (manifest.get("spec") or {}).get("containers") or ()]
    return _slim(
        manifest,
        annotations=(names.PROGRESS,),
        spec={"containers": containers},
        status={**_only(manifest.get("status"), "phase"), **_unscheduled(manifest), **_without_times(manifest)},
    )


OF_KIND: Final[Mapping[str, Callable[[Manifest], Manifest]]] = {"PipelineRun": run, "TaskRun": task_run, "Pod": pod}


def _unscheduled(manifest: Manifest) -> dict[str, Any]:
    """Why the pod has no node yet, as long as it has none."""
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    kept = [found for found in conditions if found.get("type") == "PodScheduled" and found.get("status") == "False"]
    return {"conditions": [_only(found, "type", "status", "reason", "message") for found in kept]} if kept else {}


def _without_times(manifest: Manifest) -> dict[str, Any]:
    """Containers that have ended, though nobody knows when: their node has lost the record."""
    containers = (manifest.get("status") or {}).get("containerStatuses") or ()
    ended = [(one.get("state") or {}).get("terminated") for one in containers]
    kept = [{"state": {"terminated": _only(one, "reason")}} for one in ended if one and not one.get("finishedAt")]
    return {"containerStatuses": kept} if kept else {}


def _slim(manifest: Manifest, *, annotations: tuple[str, ...] = (), **parts: Mapping[str, Any]) -> Manifest:
    """KeyError for an object that says neither what it is nor which job it belongs to."""
    metadata = manifest["metadata"]
    kept = {**_only(metadata, *_METADATA), "annotations": _only(metadata.get("annotations"), *annotations)}
    _ = metadata["namespace"], metadata["labels"][names.JOB_ID]
    return {"kind": manifest["kind"], "metadata": kept, **parts}


def _only(value: Mapping[str, Any] | None, *keys: str) -> dict[str, Any]:
    given = value or {}
    return {key: given[key] for key in keys if key in given}
