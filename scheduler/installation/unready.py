"""Why servers that are being installed are not ready, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from scheduler.model.types import Manifest
from scheduler.tekton import view

_HARMLESS: Final = frozenset({"", "ContainerCreating", "PodInitializing"})


def described(deployments: Iterable[Manifest], pods: Iterable[Manifest]) -> str:
    """Each fault once; empty when everything is ready, or only takes its time."""
    told = dict.fromkeys(fault for deployment in deployments for fault in _of_deployment(deployment))
    told |= dict.fromkeys(fault for pod in pods for fault in _of_pod(pod))
    return "; ".join(told)


def _of_deployment(deployment: Manifest) -> Iterator[str]:
    for found in view.items(deployment, "status", "conditions"):
        if found.get("type") == "ReplicaFailure" and found.get("status") == "True":
            yield f"Deployment {deployment['metadata']['name']} may not have its pod: {view.text(found, 'message')}"


def _of_pod(pod: Manifest) -> Iterator[str]:
    if "deletionTimestamp" in pod["metadata"]:
        return
    name = pod["metadata"]["name"]
    for found in view.items(pod, "status", "conditions"):
        if found.get("type") == "PodScheduled" and found.get("status") == "False":
            yield f"pod {name} has no node: {view.text(found, 'message')}"
    statuses = (*view.items(pod, "status", "initContainerStatuses"), *view.items(pod, "status", "containerStatuses"))
    for status in statuses:
        yield from _of_container(name, status)


def _of_container(pod: str, status: Mapping[str, Any]) -> Iterator[str]:
    name = f"container {view.text(status, 'name')} of pod {pod}"
    reason = view.text(status, "state", "waiting", "reason")
    if reason not in _HARMLESS:
        why = view.text(status, "state", "waiting", "message")
        yield f"{name} waits: {reason}" + (f" ({why})" if why else "")
    ended = view.mapping(status, "lastState", "terminated")
    if ended.get("exitCode") and not status.get("ready"):
        said = view.text(ended, "message").strip()
        yield f"{name} ended with exit code {ended['exitCode']}" + (f": {said[-300:]}" if said else "")
