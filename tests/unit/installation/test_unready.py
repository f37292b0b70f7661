"""Why servers are not ready."""

from __future__ import annotations

from typing import Any

from scheduler.installation import unready
from scheduler.model.types import Manifest


def pod(*statuses: dict[str, Any], **more: Any) -> Manifest:
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": list(statuses), **more}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"name": "server", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}}


def test_what_only_takes_its_time_is_no_fault() -> None:
    ready = {"name": "server", "ready": True, "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}}
    assert unready.described([], [pod(waiting("ContainerCreating")), pod(ready)]) == ""


def test_an_image_that_cannot_be_pulled_is_told_in_the_nodes_words() -> None:
    found = unready.described([], [pod(waiting("ErrImagePull", "not found"))] * 2)
    assert found == "container server of pod p waits: ErrImagePull (not found)"


def test_a_crash_is_told_with_the_programs_last_words() -> None:
    ended = {"terminated": {"exitCode": 3, "message": "no such option\n"}}
    found = unready.described([], [pod({**waiting("CrashLoopBackOff"), "lastState": ended})])
    assert found.endswith("container server of pod p ended with exit code 3: no such option")


def test_a_pod_without_a_node_is_told() -> None:
    conditions = [{"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}]
    assert unready.described([], [pod(conditions=conditions)]) == "pod p has no node: Insufficient cpu"


def test_a_pod_that_goes_is_no_fault() -> None:
    going = pod(waiting("ErrImagePull"))
    going["metadata"]["deletionTimestamp"] = "now"
    assert unready.described([], [going]) == ""
