"""What one task run of a job says, read once into checked values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from scheduler import names
from scheduler.model import job_json
from scheduler.model.types import Manifest
from scheduler.tekton import reasons, view

_OUTCOME: Final = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The `Succeeded` condition of a run or task run."""

    status: str = "Unknown"
    reason: str = ""
    message: str = ""

    @property
    def is_final(self) -> bool:
        return self.status in {"True", "False"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """A task of the job's run; all empty when Tekton has not made it (yet)."""

    exists: bool = False
    condition: Condition = field(default_factory=Condition)
    started_at: str = ""
    """When its step began to run; empty while its pod waits."""
    created_at: str = ""
    completed_at: str = ""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    """Its result `outcome`; empty when the program could not write it."""

    @property
    def has_started(self) -> bool:
        return bool(self.started_at) or self.condition.reason == "Running" or bool(self.outcome)

    @property
    def is_done(self) -> bool:
        return self.condition.is_final

    @property
    def has_failed(self) -> bool:
        return self.condition.status == "False"


ABSENT: Final = TaskFacts()


def condition_of(manifest: Manifest) -> Condition:
    """A condition without a known status counts as unknown: not finished, not failed."""
    for found in view.items(manifest, "status", "conditions"):
        if found.get("type") == "Succeeded":
            status = view.text(found, "status")
            return Condition(
                status=status if status in {"True", "False"} else "Unknown",
                reason=view.text(found, "reason"),
                message=view.text(found, "message"),
            )
    return Condition()


def by_task(task_runs: Iterable[Manifest]) -> Mapping[str, TaskFacts]:
    """Facts for each of the pipeline's tasks; of two runs of a task the one made last counts."""
    found: dict[str, TaskFacts] = {}
    for task_run in sorted(task_runs, key=lambda item: view.text(item, "metadata", "creationTimestamp")):
        task = view.text(task_run, "metadata", "labels", names.TEKTON_PIPELINE_TASK)
        if task in names.TASKS:
            found[task] = _facts(task_run)
    return {task: found.get(task, ABSENT) for task in names.TASKS}


def _facts(task_run: Manifest) -> TaskFacts:
    outcomes = [
        job_json.parse(result.get("value"))
        for result in view.items(task_run, "status", "results")
        if result.get("name") == _OUTCOME
    ]
    return TaskFacts(
        exists=True,
        condition=condition_of(task_run),
        started_at=_step_start(task_run),
        created_at=view.text(task_run, "metadata", "creationTimestamp"),
        completed_at=view.text(task_run, "status", "completionTime"),
        outcome=outcomes[0] if outcomes else {},
    )


def _step_start(task_run: Manifest) -> str:
    """Tekton ends a step that never ran with a start time of its own making, and without a container."""
    for step in view.items(task_run, "status", "steps"):
        for state in ("running", "terminated"):
            started = view.text(step, state, "startedAt")
            is_made_up = view.text(step, state, "reason") in reasons.NEVER_RAN and not view.text(
                step, state, "containerID"
            )
            if started and not is_made_up:
                return started
    return ""
