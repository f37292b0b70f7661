"""What a release still waits for, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler import names
from scheduler.model.types import Manifest
from scheduler.tasks.release_view import FLOW, ReleaseView, component, is_ready
from scheduler.tekton import view


def described(release: ReleaseView) -> str:
    """Each service that is not ready and each flow pod that does not run, with the state of its containers."""
    return "; ".join(_services(release)) or "; ".join(_flows(release)) or "the flow has not begun to score"


def _services(release: ReleaseView) -> Iterator[str]:
    for deployment in release.deployments:
        if is_ready(deployment):
            continue
        model = view.text(deployment, "metadata", "labels", names.MODEL)
        pods = [
            pod
            for pod in release.service_pods
            if component(pod) == component(deployment) and view.text(pod, "metadata", "labels", names.MODEL) == model
        ]
        states = ", ".join(_pod(pod) for pod in pods) or "it has no pod"
        yield f"the scoring service of model '{model}' is not ready ({states})"


def _flows(release: ReleaseView) -> Iterator[str]:
    if not release.flow_pods:
        yield f"the {FLOW} has no pod"
    for pod in release.flow_pods:
        if view.text(pod, "status", "phase") != "Running":
            yield f"the {FLOW} does not run ({_pod(pod)})"


def _pod(pod: Manifest) -> str:
    statuses = (*view.items(pod, "status", "initContainerStatuses"), *view.items(pod, "status", "containerStatuses"))
    states = [f"{view.text(status, 'name')} {state}" for status in statuses if (state := _state(status))]
    phase = view.text(pod, "status", "phase") or "Pending"
    return f"pod {pod['metadata']['name']}: {', '.join(states) or phase}"


def _state(status: Manifest) -> str:
    """Empty for a container that is done or ready."""
    state = view.mapping(status, "state")
    if "waiting" in state:
        return f"waits ({view.text(state, 'waiting', 'reason') or 'for its turn'})"
    if "terminated" in state:
        code = view.mapping(state, "terminated").get("exitCode")
        return f"ended with exit code {code}" if code else ""
    return "" if status.get("ready") else "runs, but is not ready"
