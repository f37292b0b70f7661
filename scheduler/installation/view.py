"""An installation as people see it: a projection of its run and task runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from scheduler import names
from scheduler.installation import outcome, remedies
from scheduler.installation.outcome import State
from scheduler.model.types import Manifest
from scheduler.tekton import view
from scheduler.tekton.task_facts import Condition, condition_of


class Progress(StrEnum):
    """State of an installation, and of a step that has not said its own."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"

    @property
    def is_final(self) -> bool:
        return self not in {Progress.WAITING, Progress.RUNNING}


_BY_REASON: Final = {
    "Cancelled": Progress.CANCELLED,
    "CancelledRunningFinally": Progress.CANCELLED,
    "PipelineRunTimeout": Progress.TIMED_OUT,
    "TaskRunCancelled": Progress.CANCELLED,
    "TaskRunTimeout": Progress.TIMED_OUT,
}
"""Of what has ended without success; anything else has failed."""
_LATE: Final = "cancelled as the PipelineRun it belongs to has timed out"
"""Of a task run that was cancelled when the time of all was over (Tekton, `TaskRunCancelledByPipelineTimeoutMsg`)."""
_AT_FAULT: Final = frozenset({State.FAILED.value, Progress.TIMED_OUT.value})
"""States of steps that end an installation."""
_ORDINARY: Final = frozenset({"", "Started", "Running", "Pending"})
"""Reasons of task runs under way that say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One build, or the deployment."""

    name: str
    state: str
    """A `State` that the step said itself, else a `Progress`."""
    seconds: int | None = None
    image: str = ""
    """Reference by digest."""
    reason: str = ""
    """Why it failed, or what it waits for."""
    pod: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The newest run of a platform's installation."""

    run: str
    platform: str
    state: Progress
    reason: str
    """Why it failed: the reason of the first step that did, or whose time was over, else Tekton's."""
    steps: tuple[Step, ...]

    def document(self) -> dict[str, object]:
        """For programs."""
        steps = [
            {
                "name": step.name,
                "state": step.state,
                "seconds": step.seconds,
                "image": step.image,
                "reason": step.reason,
            }
            for step in self.steps
        ]
        kept = {"run": self.run, "platform": self.platform, "state": self.state.value, "reason": self.reason}
        return {**kept, "steps": steps}


def project(run: Manifest, task_runs: Iterable[Manifest], *, now: datetime) -> Installation:
    """Every step of the run's pipeline in its order, those that Tekton has not begun included.

    Of two task runs of a step the one made last counts. A state that Tekton names otherwise than this version knows is
    failed when it is final, and running when it is not.
    """
    found: dict[str, Manifest] = {}
    for task_run in sorted(task_runs, key=lambda item: view.text(item, "metadata", "creationTimestamp")):
        found[view.text(task_run, "metadata", "labels", names.TEKTON_PIPELINE_TASK)] = task_run
    listed = [view.text(task, "name") for task in view.items(run, "status", "pipelineSpec", "tasks")]
    steps = tuple(_step(name, found.get(name), now=now) for name in dict.fromkeys([*listed, *found]))
    condition = condition_of(run)
    state = _progress(condition, is_begun=True)
    failed = next((f"{step.name}: {step.reason}" for step in steps if step.state in _AT_FAULT and step.reason), "")
    return Installation(
        run=run["metadata"]["name"],
        platform=view.text(run, "metadata", "labels", names.INSTALLATION),
        state=state,
        reason=(failed or condition.message) if state.is_final and state is not Progress.SUCCEEDED else "",
        steps=steps,
    )


def _step(name: str, task_run: Manifest | None, *, now: datetime) -> Step:
    if task_run is None:
        return Step(name=name, state=Progress.WAITING)
    results = {view.text(item, "name"): item.get("value") for item in view.items(task_run, "status", "results")}
    said = outcome.parse(str(results.get("outcome", "")))
    condition = condition_of(task_run)
    pod = view.text(task_run, "status", "podName")
    state: str = _progress(condition, is_begun=bool(pod))
    if said is not None and (condition.is_final or not said.is_success):
        state = said.state
    return Step(
        name=name,
        state=str(state),
        seconds=said.seconds if said is not None else _seconds(task_run, now),
        image=str(results.get("reference", "")),
        reason=_reason(condition, said.message if said is not None else "", has_pod=bool(pod)),
        pod=pod,
    )


def _progress(condition: Condition, *, is_begun: bool) -> Progress:
    if condition.status == "True":
        return Progress.SUCCEEDED
    if condition.status == "False":
        if _LATE in condition.message:
            return Progress.TIMED_OUT
        return _BY_REASON.get(condition.reason, Progress.FAILED)
    return Progress.RUNNING if is_begun else Progress.WAITING


def _reason(condition: Condition, said: str, *, has_pod: bool) -> str:
    """The step's own words; else Tekton's and what to do, as far as they say more than that it goes on or went well."""
    if said and condition.status != "True":
        return said
    if condition.status == "True" or (condition.status == "Unknown" and condition.reason in _ORDINARY):
        return ""
    words = f"{condition.reason}: {condition.message}" if condition.message else condition.reason
    is_late = condition.reason == "TaskRunTimeout" or _LATE in condition.message
    remedy = remedies.without_pod() if is_late and not has_pod else remedies.of_tekton(condition.reason)
    return f"{words}\n→ {remedy}" if remedy else words


def _seconds(task_run: Mapping[str, Any], now: datetime) -> int | None:
    began, ended = view.text(task_run, "status", "startTime"), view.text(task_run, "status", "completionTime")
    if not began:
        return None
    return round(((datetime.fromisoformat(ended) if ended else now) - datetime.fromisoformat(began)).total_seconds())
