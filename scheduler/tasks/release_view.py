"""A job's release and run as the cluster shows them at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from scheduler import names
from scheduler.model.types import Manifest
from scheduler.tasks.room import Size
from scheduler.tekton import view

FLOW: Final = "flow"
"""Component of the flow's pods, and name of their container; any other component is a scoring server's chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseView:
    pods: tuple[Manifest, ...] = ()
    deployments: tuple[Manifest, ...] = ()
    flow_job: Manifest | None = None
    """The batch Job of the flow."""
    run: Manifest | None = None
    unseen: str = ""
    """Why some kind of object has not been seen at all yet; absence then proves nothing."""
    job_warnings: tuple[str, ...] = ()
    """Messages of events about the batch Job, newest last; only asked for while it has no pod."""

    node: Size | None = None
    """Of task `wait`, whose size is told where a pod finds no room."""

    @property
    def flow_pods(self) -> tuple[Manifest, ...]:
        return tuple(pod for pod in self.pods if component(pod) == FLOW)

    @property
    def service_pods(self) -> tuple[Manifest, ...]:
        return tuple(pod for pod in self.pods if component(pod) != FLOW)

    @property
    def running_flows(self) -> tuple[str, ...]:
        """Addresses of the flow pods whose container has not ended, and that are not being deleted."""
        return tuple(
            address
            for pod in self.flow_pods
            if view.text(pod, "status", "phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
            if not flow_terminated(pod)
            if (address := view.text(pod, "status", "podIP"))
        )


def component(manifest: Manifest) -> str:
    return view.text(manifest, "metadata", "labels", names.COMPONENT)


def flow_terminated(pod: Manifest) -> Mapping[str, Any]:
    """How the container of a flow pod ended, its message among it; empty while it has not."""
    for status in view.items(pod, "status", "containerStatuses"):
        if status.get("name") == FLOW:
            return view.mapping(status, "state", "terminated")
    return {}


def is_ready(deployment: Manifest) -> bool:
    """As many replicas are ready as are wanted."""
    wanted = view.mapping(deployment, "spec").get("replicas", 1)
    ready = view.mapping(deployment, "status").get("readyReplicas", 0)
    return isinstance(wanted, int) and isinstance(ready, int) and ready >= wanted


def condition(manifest: Manifest, type_: str) -> Manifest | None:
    """The condition of that type when its status is True."""
    for found in view.items(manifest, "status", "conditions"):
        if found.get("type") == type_ and found.get("status") == "True":
            return found
    return None
