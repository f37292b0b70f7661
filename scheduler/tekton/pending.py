"""What a task waits for that has not started, in words for people."""

from __future__ import annotations

import re
from typing import Final

from scheduler.tekton.task_facts import Condition

_POD_STATUS: Final = re.compile(r'pod status "(?P<kind>\w+)":"False"; message: "(?P<words>.*)"', re.DOTALL)
"""How Tekton hands on what a pod says of itself (pkg/pod/status.go, `getWaitingMessage`)."""
_ON_ITS_WAY: Final = frozenset({"PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"})
_OVER_QUOTA: Final = re.compile(r"TaskRun Pod exceeded available resources: (?P<words>.+)", re.DOTALL)
"""How it hands on that a quota refused the pod (pkg/reconciler/taskrun/taskrun.go, `handlePodCreationError`)."""
_UNREMARKABLE: Final = frozenset({"", "Pending", "Started", "Running"})
"""Reasons of a task run with which nothing is wrong."""
_STARTING: Final = re.compile(r"(pending|not all steps in the task have (started|finished) executing)?", re.IGNORECASE)


def sentence(task: str, condition: Condition, *, no_node: str = "") -> str:
    """Why the task has not started; Tekton's own words only where they tell of something that is wrong.

    `no_node` is what the task's pod itself says about having no node: Tekton keeps that back when resources are short.

    >>> sentence("install", Condition(reason="Pending", message='pod status "Initialized":"False"; message: ""'))
    'task install starts'
    """
    if no_node:
        return f"task {task} waits for a node: {no_node}"
    quota = _OVER_QUOTA.fullmatch(condition.message)
    if quota is not None:
        return f"task {task} waits for room in the environment's quota: {quota['words']}"
    found = _POD_STATUS.fullmatch(condition.message)
    if found is not None and found["kind"] == "PodScheduled":
        return f"task {task} waits for a node" + (f": {found['words']}" if found["words"] else "")
    is_starting = _STARTING.fullmatch(condition.message) if found is None else found["kind"] in _ON_ITS_WAY
    if is_starting and condition.reason in _UNREMARKABLE:
        return f"task {task} starts"
    said = ": ".join(part for part in (condition.reason, condition.message) if part)
    return f"task {task} waits: {said}"
