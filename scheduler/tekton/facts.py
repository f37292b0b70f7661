"""What a run, its task runs and their pods say, read once into checked values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from scheduler import names
from scheduler.model import job_json
from scheduler.model.job import Cleanup, Progress, Submission
from scheduler.model.types import Manifest
from scheduler.tekton import pipeline_run, task_facts, view
from scheduler.tekton.task_facts import Condition, TaskFacts

_CANCEL_STATUS: Final = frozenset({pipeline_run.CANCELLED, pipeline_run.CANCELLED_RUN_FINALLY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the projection looks at."""

    run: Manifest
    submission: Submission
    condition: Condition
    status: str
    """`spec.status`: what was last asked of Tekton."""
    install: TaskFacts
    wait: TaskFacts
    uninstall: TaskFacts
    cancelled_by: Mapping[str, Any]
    drain: Mapping[str, Any]
    completion: Mapping[str, Any]
    janitor: Mapping[str, Any]
    """What the janitor made of the release; empty when it had nothing to do with it."""
    progress: Progress | None
    no_node: Mapping[str, str]
    """Task -> why its pod has no node yet."""
    is_over: bool
    """Whether the run has ended, and every end that makes up its own is known: the janitor's too, after force."""

    @property
    def cleanup(self) -> Cleanup | None:
        """What was said last of the release by who looked: the janitor comes after the run's own teardown."""
        for said in (self.janitor.get("cleanup"), self.uninstall.outcome.get("cleanup")):
            if said in {Cleanup.CLEAN.value, Cleanup.LEAKED.value}:
                return Cleanup(said)
        return None

    @property
    def is_cancelled(self) -> bool:
        return bool(self.cancelled_by) or self.status in _CANCEL_STATUS


def facts_of(run: Manifest, task_runs: Iterable[Manifest], pods: Iterable[Manifest], *, is_lagging: bool) -> Facts:
    pods = tuple(pods)
    annotations = view.mapping(run, "metadata", "annotations")
    tasks = task_facts.by_task(task_runs)
    condition = task_facts.condition_of(run)
    at_work = [task for task in tasks.values() if task.exists and not task.is_done]
    facts = Facts(
        run=run,
        submission=job_json.submission_from_json(job_json.parse(annotations.get(names.JOB))),
        condition=condition,
        status=view.text(run, "spec", "status"),
        install=tasks["install"],
        wait=tasks["wait"],
        uninstall=tasks["uninstall"],
        cancelled_by=job_json.parse(annotations.get(names.CANCELLED_BY)),
        drain=job_json.parse(annotations.get(names.DRAIN)),
        completion=job_json.parse(annotations.get(names.COMPLETION)),
        janitor=job_json.parse(annotations.get(names.JANITOR)),
        progress=_progress(pods),
        no_node=dict(_no_node(pods)),
        is_over=condition.is_final and not at_work and not is_lagging,
    )
    return replace(facts, is_over=facts.is_over and not _awaits_janitor(facts))


def _awaits_janitor(facts: Facts) -> bool:
    is_forced = facts.cancelled_by.get("mode") == pipeline_run.FORCE
    return is_forced and facts.install.has_started and facts.cleanup is None


def _no_node(pods: Iterable[Manifest]) -> Iterator[tuple[str, str]]:
    for pod in pods:
        for found in view.items(pod, "status", "conditions"):
            if found.get("type") == "PodScheduled" and found.get("status") == "False":
                yield view.text(pod, "metadata", "labels", names.TEKTON_PIPELINE_TASK), view.text(found, "message")


def _progress(pods: Iterable[Manifest]) -> Progress | None:
    for pod in pods:
        if view.text(pod, "metadata", "labels", names.TEKTON_PIPELINE_TASK) == "wait":
            text = view.mapping(pod, "metadata", "annotations").get(names.PROGRESS)
            if text:
                return job_json.progress_from_json(job_json.parse(text))
    return None
