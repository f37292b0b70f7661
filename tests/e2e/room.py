"""An environment that has no room for task pods for a while: jobs are taken and stay QUEUED, and cost no pod."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE, Platform

QUOTA: Final = "modelops-tasks"
_PARKED: Final = "parked"
_BEFORE: Final = "tests.modelops.dev/pods-before"
_WHERE: Final = ("-n", ENVIRONMENT)
_LIMIT_SECONDS: Final = 60.0


@contextmanager
def taken(platform: Platform) -> Iterator[None]:
    """The quota of task pods is one pod, and that pod is there already; a quota of none would have orders refused.

    What the quota was stands in an annotation of its own, and the pod has one name, so that a trial that was killed
    does not take the room for ever.
    """
    quota = _quota(platform)
    before = quota["metadata"].get("annotations", {}).get(_BEFORE) or quota["spec"]["hard"]["pods"]
    _park_nothing(platform)
    _allow(platform, "1", before=before)
    try:
        priority = quota["spec"]["scopeSelector"]["matchExpressions"][0]["values"][0]
        platform.apply(_parked(image=_image(platform), priority=priority))
        deadline = time.monotonic() + _LIMIT_SECONDS
        while _quota(platform)["status"]["used"]["pods"] != "1":
            assert time.monotonic() < deadline, "task pods of other jobs do not end"
            time.sleep(0.5)
        yield
    finally:
        _park_nothing(platform)
        _allow(platform, before)


def _park_nothing(platform: Platform) -> None:
    platform.kubectl(*_WHERE, "delete", "pod", _PARKED, "--ignore-not-found", "--timeout=60s")


def _quota(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(platform.kubectl(*_WHERE, "get", "resourcequota", QUOTA, "-o", "json"))
    return found


def _allow(platform: Platform, pods: str, *, before: str | None = None) -> None:
    patch = json.dumps({"metadata": {"annotations": {_BEFORE: before}}, "spec": {"hard": {"pods": pods}}})
    platform.kubectl(*_WHERE, "patch", "resourcequota", QUOTA, "--type=merge", "-p", patch)


def _image(platform: Platform) -> str:
    """One that the node has: the scheduling server's."""
    path = "-o=jsonpath={.spec.template.spec.containers[0].image}"
    return platform.kubectl("-n", NAMESPACE, "get", "deployment", f"{RELEASE}-scheduling-server", path).decode()


def _parked(*, image: str, priority: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _PARKED, "namespace": ENVIRONMENT},
        "spec": {
            "priorityClassName": priority,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "parked",
                    "image": image,
                    "command": ["sleep", "86400"],
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "16Mi"},
                        "limits": {"cpu": "100m", "memory": "64Mi"},
                    },
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }
