"""What is wrong with a release, from its objects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scheduler.model.job import Reason
from scheduler.tasks import faults, room
from scheduler.tasks.release_view import ReleaseView
from scheduler.tasks.room import Size

from .releases import FLOW, SERVICE, flow_job, manifest, pod

SERVER = "scoring-server-pmml"


def one(release: ReleaseView) -> tuple[Reason, str, float]:
    found = faults.find(release)
    assert len(found) == 1, found
    return found[0].reason, found[0].message, found[0].grace_seconds


def service(**status: Any) -> ReleaseView:
    return ReleaseView(pods=(pod("s", component=SERVER, **status),))


def container(name: str = "server", *, restarts: int = 0, **state: Any) -> list[dict[str, Any]]:
    last = state.pop("last", {})
    return [{"name": name, "image": "registry/a@sha256:0", "restartCount": restarts, "state": state, "lastState": last}]


def crashed(code: int, *, restarts: int, message: str = "", reason: str = "Error") -> list[dict[str, Any]]:
    last = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    return container(restarts=restarts, waiting={"reason": "CrashLoopBackOff", "message": "back-off"}, last=last)


@pytest.mark.parametrize(
    ("word", "why", "grace"),
    [
        ("ErrImagePull", "rpc error: code = NotFound desc = manifest unknown: not found", faults.SURE_GRACE_SECONDS),
        ("InvalidImageName", "couldn't parse image", faults.SURE_GRACE_SECONDS),
        ("ImagePullBackOff", "Back-off pulling image: dial tcp: i/o timeout", faults.IMAGE_GRACE_SECONDS),
    ],
)
def test_a_missing_image_names_pod_container_and_image(word: str, why: str, grace: float) -> None:
    release = service(phase="Pending", containerStatuses=container(waiting={"reason": word, "message": why}))

    assert one(release) == (
        Reason.IMAGE_MISSING,
        f"container server of pod s: image registry/a@sha256:0 cannot be pulled ({word}: {why})",
        grace,
    )


@pytest.mark.parametrize("reason", sorted(faults.PERMANENT))
@pytest.mark.parametrize("is_over", [True, False])
def test_what_a_container_says_of_its_model_counts_at_once(reason: Reason, is_over: bool) -> None:
    message = json.dumps({"reason": reason.value, "message": "the store gave another file"})
    ended = {"terminated": {"exitCode": 12, "message": message}}
    status = container("download", **(ended if is_over else {"running": {}, "last": ended}))

    assert one(service(phase="Pending", initContainerStatuses=status)) == (
        reason,
        "container download of pod s: the store gave another file",
        0.0,
    )


def test_a_crash_or_two_are_no_loop() -> None:
    assert faults.find(service(containerStatuses=crashed(1, restarts=1))) == ()
    assert one(service(containerStatuses=crashed(1, restarts=2)))[0] is Reason.SERVICE_CRASHED


def test_a_crash_loop_tells_the_exit_code_and_the_last_words() -> None:
    words = json.dumps({"reason": "DiskFull", "message": "/models is full"})

    assert one(service(containerStatuses=crashed(12, restarts=3, message=words)))[:2] == (
        Reason.DISK_FULL,
        "container server of pod s ended 4 times with exit code 12: /models is full",
    )


def test_out_of_memory_names_the_limit() -> None:
    assert one(service(containerStatuses=crashed(137, restarts=2, reason="OOMKilled"))) == (
        Reason.OUT_OF_MEMORY,
        "container server of pod s needs more than its memory limit of 1Gi (OOMKilled, 2 restarts)",
        0.0,
    )


def test_a_missing_secret_is_told() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "licence" not found'}

    assert one(service(phase="Pending", containerStatuses=container(waiting=waiting)))[:2] == (
        Reason.SERVICE_CRASHED,
        'container server of pod s cannot be started (CreateContainerConfigError: secret "licence" not found)',
    )


@pytest.mark.parametrize(
    ("why", "reason", "words"),
    [
        (
            '0/1 nodes are available: persistentvolumeclaim "data" not found. not found',
            Reason.VOLUME_MISSING,
            "pod f waits for the PersistentVolumeClaim 'data', which does not exist",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
            Reason.UNSCHEDULABLE,
            "no node takes pod f: 0/1 nodes are available: 1 node(s) had untolerated taint(s).",
        ),
        (
            "0/1 nodes are available: 1 Insufficient cpu.",
            Reason.UNSCHEDULABLE,
            "no node has room for pod f (it asks for 100m of cpu): 0/1 nodes are available: 1 Insufficient cpu.",
        ),
    ],
)
def test_a_pod_without_a_node_says_why(why: str, reason: Reason, words: str) -> None:
    assert one(ReleaseView(pods=(without_node(why),)))[:2] == (reason, words)


def without_node(why: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
    waiting = pod("f", phase="Pending", conditions=[condition])
    requests = {"requests": {"cpu": "100m", "memory": "256Mi"}}
    return {**waiting, "spec": {"containers": [{"name": "flow", "resources": requests}]}}


def test_too_little_room_is_told_in_numbers_and_waited_for() -> None:
    why = "0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory."
    release = ReleaseView(pods=(without_node(why),), node=Size(cpu=2, memory_bytes=2**33))

    assert one(release) == (
        Reason.UNSCHEDULABLE,
        (
            "no node has room for pod f (it asks for 100m of cpu, the node of task wait has 2 in all; "
            f"it asks for 256Mi of memory, the node of task wait has 8192Mi in all): {why}"
        ),
        faults.ROOM_GRACE_SECONDS,
    )


def test_this_machine_has_a_size() -> None:
    assert room.here().cpu >= 1
    assert room.here().memory_bytes > 2**28


QUOTA = (
    'pods "x" is forbidden: exceeded quota: jobs, requested: limits.cpu=2, used: limits.cpu=7, limited: limits.cpu=8'
)


@pytest.mark.parametrize(
    ("why", "reason"), [(QUOTA, Reason.QUOTA_EXCEEDED), ("violates PodSecurity", Reason.INSTALL_FAILED)]
)
def test_pods_that_may_not_be_made_are_told_by_their_owner(why: str, reason: Reason) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": why}
    deployment = manifest("Deployment", SERVICE, status={"conditions": [failure]})

    found = one(ReleaseView(deployments=(deployment,)))
    assert found[0] is reason
    assert f"Deployment {SERVICE}" in found[1]
    assert why in found[1]

    found = one(ReleaseView(flow_job=flow_job(), job_warnings=("old", why)))
    assert found[0] is reason
    assert f"Job {FLOW}" in found[1]


def test_warnings_about_a_job_that_has_its_pod_are_old() -> None:
    assert faults.find(ReleaseView(flow_job=flow_job(), job_warnings=(QUOTA,), pods=(pod("f"),))) == ()


def test_a_healthy_release_has_no_fault() -> None:
    ready = [{"name": "server", "ready": True, "state": {"running": {}}, "restartCount": 0}]

    assert faults.find(ReleaseView(pods=(pod("f"), pod("s", component=SERVER, containerStatuses=ready)))) == ()


def test_pods_that_are_over_or_on_their_way_out_are_not_looked_at() -> None:
    leaving = pod("s", component=SERVER, containerStatuses=crashed(1, restarts=9))
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    evicted = pod("t", component=SERVER, phase="Failed", containerStatuses=crashed(1, restarts=9))

    assert faults.find(ReleaseView(pods=(leaving, evicted))) == ()
