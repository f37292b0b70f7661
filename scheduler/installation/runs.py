"""The installation's PipelineRuns: which is the newest, what has finished. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scheduler import names
from scheduler.model.types import Manifest
from scheduler.tekton import view
from scheduler.tekton.task_facts import condition_of


def in_order(runs: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """Oldest first."""
    return tuple(sorted(runs, key=lambda run: (number(run), view.text(run, "metadata", "creationTimestamp"))))


def number(run: Manifest) -> int:
    """The count in its name; 0 for a run that was not made by this program."""
    last = str(run["metadata"]["name"]).rpartition("-")[2]
    return int(last) if last.isdigit() else 0


def digest(run: Manifest) -> str:
    return view.text(run, "metadata", "annotations", names.CONTENT_DIGEST)


def is_finished(run: Manifest) -> bool:
    return condition_of(run).is_final


def has_succeeded(run: Manifest) -> bool:
    return condition_of(run).status == "True"


def named(runs: Iterable[Manifest]) -> str:
    return ", ".join(run["metadata"]["name"] for run in runs)


def tasks_of(pipeline: Manifest) -> Sequence[str]:
    """The Tasks that a Pipeline refers to, each once."""
    listed = (*view.items(pipeline, "spec", "tasks"), *view.items(pipeline, "spec", "finally"))
    return tuple(dict.fromkeys(name for task in listed if (name := view.text(task, "taskRef", "name"))))
