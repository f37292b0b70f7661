"""What is wrong with a release, read from its objects: pure, and told in words that name pod and container.

A fault that often heals by itself has a grace: it counts when it has been there for so long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scheduler import names
from scheduler.model import job_json
from scheduler.model.job import Reason
from scheduler.model.types import Manifest
from scheduler.tasks import room
from scheduler.tasks.release_view import FLOW, ReleaseView, component, condition
from scheduler.tasks.room import Size
from scheduler.tekton import view

IMAGE: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
REFUSED: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
PERMANENT: Final = frozenset({Reason.MODEL_MISSING, Reason.MODEL_DIGEST_MISMATCH, Reason.MODEL_CORRUPT})
"""What a container of ours says itself, and would say again."""
_NO_SUCH_IMAGE: Final = re.compile(
    "not found|manifest unknown|invalid reference|unauthorized|denied|name unknown", re.I
)
_NO_SUCH_CLAIM: Final = re.compile(r'persistentvolumeclaims? "(?P<claim>[^"]+)" (?:not found|is being deleted)')

IMAGE_GRACE_SECONDS: Final = 30.0
SURE_GRACE_SECONDS: Final = 3.0
REFUSED_GRACE_SECONDS: Final = 15.0
UNSCHEDULABLE_GRACE_SECONDS: Final = 60.0
"""A node may be added, or its taint removed."""
REFUSED_POD_GRACE_SECONDS: Final = 20.0
ROOM_GRACE_SECONDS: Final = math.inf
"""Other jobs end and make room: until then the job waits, as long as its deadline allows."""
CRASHES: Final = 3
"""Ends of one container, one after the other, that make a crash loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    reason: Reason
    message: str
    grace_seconds: float = 0.0
    subject: str = ""
    """What it is about; a fault is the same one as long as reason and subject are."""


def find(release: ReleaseView) -> tuple[Fault, ...]:
    """All faults, those that count soonest first."""
    found = [
        *(fault for pod in release.pods for fault in _of_pod(pod, release.node)),
        *(fault for deployment in release.deployments for fault in _of_deployment(deployment)),
        *_of_flow_job(release),
    ]
    return tuple(sorted(found, key=lambda fault: (fault.grace_seconds, fault.subject)))


def container_words(status: Mapping[str, Any]) -> tuple[Reason | None, str]:
    """What a container of ours said when it ended: its reason, where it is one of ours, and its message."""
    said = job_json.parse(view.text(status, "message"))
    word, message = view.text(said, "reason"), view.text(said, "message")
    known = {reason.value: reason for reason in Reason}
    return known.get(word) if word else None, message


def memory_limit(pod: Manifest, container: str) -> str:
    """A container's memory limit as it is written; `none` when it has none."""
    for described in (*view.items(pod, "spec", "containers"), *view.items(pod, "spec", "initContainers")):
        if described.get("name") == container:
            return str(view.mapping(described, "resources", "limits").get("memory", "none"))
    return "none"


def _of_pod(pod: Manifest, node: Size | None) -> Iterator[Fault]:
    if view.text(pod, "status", "phase") in {"Succeeded", "Failed"} or "deletionTimestamp" in pod["metadata"]:
        return
    yield from _unscheduled(pod, node)
    statuses = (*view.items(pod, "status", "initContainerStatuses"), *view.items(pod, "status", "containerStatuses"))
    for status in statuses:
        yield from _waiting(pod, status)
        yield from _ended(pod, status)


def _unscheduled(pod: Manifest, node: Size | None) -> Iterator[Fault]:
    for found in view.items(pod, "status", "conditions"):
        if found.get("type") != "PodScheduled" or found.get("status") != "False":
            continue
        why = view.text(found, "message")
        claim = _NO_SUCH_CLAIM.search(why)
        if claim is not None:
            message = f"{_named(pod)} waits for the PersistentVolumeClaim '{claim['claim']}', which does not exist"
            yield _fault(pod, Reason.VOLUME_MISSING, message, grace=SURE_GRACE_SECONDS)
        elif found.get("reason") == "Unschedulable":
            yield _without_node(pod, why, node)


def _without_node(pod: Manifest, why: str, node: Size | None) -> Fault:
    shortage = room.shortage(pod, why, node)
    if not shortage:
        message = f"no node takes {_named(pod)}: {why}"
        return _fault(pod, Reason.UNSCHEDULABLE, message, grace=UNSCHEDULABLE_GRACE_SECONDS)
    message = f"no node has room for {_named(pod)} ({shortage}): {why}"
    return _fault(pod, Reason.UNSCHEDULABLE, message, grace=ROOM_GRACE_SECONDS)


def _waiting(pod: Manifest, status: Mapping[str, Any]) -> Iterator[Fault]:
    word, why = view.text(status, "state", "waiting", "reason"), view.text(status, "state", "waiting", "message")
    name = view.text(status, "name")
    if word in IMAGE:
        sure = word == "InvalidImageName" or _NO_SUCH_IMAGE.search(why)
        message = f"{_named(pod, name)}: image {view.text(status, 'image')} cannot be pulled ({word}: {why})"
        grace = SURE_GRACE_SECONDS if sure else IMAGE_GRACE_SECONDS
        yield _fault(pod, Reason.IMAGE_MISSING, message, container=name, grace=grace)
    elif word in REFUSED:
        message = f"{_named(pod, name)} cannot be started ({word}: {why})"
        yield _fault(pod, _crashed(pod), message, container=name, grace=REFUSED_GRACE_SECONDS)


def _ended(pod: Manifest, status: Mapping[str, Any]) -> Iterator[Fault]:
    """Of a container that is started again and again; how a flow's pod ended is told with its batch Job's end."""
    ended = view.mapping(status, "state", "terminated") or view.mapping(status, "lastState", "terminated")
    code, name = ended.get("exitCode", 0), view.text(status, "name")
    if not code or component(pod) == FLOW:
        return
    reason, words = container_words(ended)
    restarts = status.get("restartCount", 0)
    again = restarts >= CRASHES or (
        restarts == CRASHES - 1 and view.text(status, "state", "waiting", "reason") == "CrashLoopBackOff"
    )
    if reason in PERMANENT:
        yield _fault(pod, reason, f"{_named(pod, name)}: {words}", container=name)
    elif again and ended.get("reason") == "OOMKilled":
        limit = memory_limit(pod, name)
        message = f"{_named(pod, name)} needs more than its memory limit of {limit} (OOMKilled, {restarts} restarts)"
        yield _fault(pod, Reason.OUT_OF_MEMORY, message, container=name)
    elif again:
        said = f": {words}" if words else ""
        message = f"{_named(pod, name)} ended {restarts + 1} times with exit code {code}{said}"
        yield _fault(pod, reason or _crashed(pod), message, container=name)


def _of_deployment(deployment: Manifest) -> Iterator[Fault]:
    found = condition(deployment, "ReplicaFailure")
    if found is not None:
        yield _not_created(f"Deployment {deployment['metadata']['name']}", view.text(found, "message"))


def _of_flow_job(release: ReleaseView) -> Iterator[Fault]:
    if release.flow_job is not None and not release.flow_pods and release.job_warnings:
        yield _not_created(f"Job {release.flow_job['metadata']['name']}", release.job_warnings[-1])


def _not_created(owner: str, why: str) -> Fault:
    if "exceeded quota" in why:
        message = f"{owner} may not have its pod: {why}"
        return Fault(reason=Reason.QUOTA_EXCEEDED, message=message, grace_seconds=ROOM_GRACE_SECONDS, subject=owner)
    message = f"{owner} cannot have its pod: {why}"
    return Fault(reason=Reason.INSTALL_FAILED, message=message, grace_seconds=REFUSED_POD_GRACE_SECONDS, subject=owner)


def _fault(pod: Manifest, reason: Reason, message: str, *, container: str = "", grace: float = 0.0) -> Fault:
    subject = f"{component(pod)}/{view.text(pod, 'metadata', 'labels', names.MODEL)}/{container}"
    return Fault(reason=reason, message=message, grace_seconds=grace, subject=subject)


def _crashed(pod: Manifest) -> Reason:
    return Reason.FLOW_CRASHED if component(pod) == FLOW else Reason.SERVICE_CRASHED


def _named(pod: Manifest, container: str = "") -> str:
    name = f"pod {pod['metadata']['name']}"
    return f"container {container} of {name}" if container else name
