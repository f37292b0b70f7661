"""What Tekton's reasons mean for a job. A reason that is not here keeps its words and becomes `TektonFailed`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from scheduler.model.job import Reason

OF_TASK_RUN: Final[Mapping[str, Reason]] = {
    "TaskRunImagePullFailed": Reason.IMAGE_MISSING,
    "ImagePullBackOff": Reason.IMAGE_MISSING,
    "ErrImagePull": Reason.IMAGE_MISSING,
    "ExceededResourceQuota": Reason.QUOTA_EXCEEDED,
    "ExceededNodeResources": Reason.UNSCHEDULABLE,
    "StepOOM": Reason.OUT_OF_MEMORY,
    "InitContainerOOM": Reason.OUT_OF_MEMORY,
    "OOMKilled": Reason.OUT_OF_MEMORY,
    "PodEvicted": Reason.TASK_POD_LOST,
}
_FAILED: Final = frozenset({"Failed", "StepFailed"})
_POD_LOST: Final = re.compile(r"exited with code (?:137|143|255)\b|^build failed for unspecified reasons")
"""Tekton's words for a pod that somebody or something took away, in a run that was not cancelled: SIGKILL or SIGTERM;
255, which containerd says of a container that was just being started, and our programs never; no container that failed.
"""
NEVER_RAN: Final = frozenset({"TaskRunImagePullFailed", "CreateContainerConfigError", "InvalidImageName"})
"""Reasons of a step whose container was never made."""
DEADLINE_OF_TASK: Final[Mapping[str, Reason]] = {
    "install": Reason.INSTALL_DEADLINE,
    "wait": Reason.RUN_DEADLINE,
    "uninstall": Reason.FINISH_DEADLINE,
}
TASK_CANCELLED: Final = "TaskRunCancelled"
TIMEOUTS: Final = frozenset({"PipelineRunTimeout", "TaskRunTimeout"})
DEADLINES: Final = frozenset(
    {Reason.QUEUE_DEADLINE, Reason.INSTALL_DEADLINE, Reason.READY_DEADLINE, Reason.RUN_DEADLINE}
)
"""Reasons that make a job TIMED_OUT. A late cleanup does not: the scoring had its own end before."""

_BY_WORD: Final = {reason.value: reason for reason in Reason}


def of_task_run(reason: str, *, task: str, message: str = "") -> Reason:
    """Why a task run failed that left no outcome of its own."""
    if reason in TIMEOUTS:
        return DEADLINE_OF_TASK.get(task, Reason.RUN_DEADLINE)
    if reason in _FAILED and _POD_LOST.search(message):
        return Reason.TASK_POD_LOST
    return OF_TASK_RUN.get(reason, Reason.TEKTON)


def named(text: str) -> Reason:
    """The reason that one of our programs gave; a word that it should not know becomes `TektonFailed`."""
    return _BY_WORD.get(text, Reason.TEKTON)
