"""Whether an environment's quota could ever hold a job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scheduler.model.problem import Problem
from scheduler.model.types import Manifest
from scheduler.preprocess import quotas as bounds
from scheduler.preprocess.quotas import Lack
from scheduler.preprocess.resources import Totals

_TASK: Final = Totals(
    pods=1,
    request_cpu_millicores=20,
    request_memory_bytes=64 * 2**20,
    limit_cpu_millicores=1000,
    limit_memory_bytes=512 * 2**20,
)
"""The largest task pod of a run (tekton/tasks: install and uninstall); one of them runs at a time."""


def validate(
    release: Totals, quotas: Iterable[Manifest], *, environment: str, task_priority_class: str
) -> tuple[Problem, ...]:
    """A problem, with its numbers, for each hard limit that an otherwise empty environment would still exceed.

    What other jobs use now is not counted: it comes back when they end, and until then pods wait.
    """
    problems: list[Problem] = []
    for quota in quotas:
        asked = sum(
            (pods for of_class, pods in _pods(release, task_priority_class) if bounds.counts(quota, of_class)), Totals()
        )
        problems += [_problem(environment, lack) for lack in bounds.lacking(asked, quota)]
    return tuple(problems)


def _pods(release: Totals, task_priority_class: str) -> tuple[tuple[str, Totals], ...]:
    return ("", release), (task_priority_class, _TASK)


def _problem(environment: str, lack: Lack) -> Problem:
    return Problem(
        pointer="/environment",
        message=f"the job needs {lack.resource} {lack.need}, and quota '{lack.quota}' of environment '{environment}' "
        f"allows {lack.hard}",
    )
