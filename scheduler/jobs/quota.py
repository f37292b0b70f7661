"""Whether an environment's quota could ever hold a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from scheduler.model.problem import Problem
from scheduler.model.types import Manifest
from scheduler.preprocess import resources
from scheduler.preprocess.resources import Totals

_SECOND_NAMES: Final[Mapping[str, str]] = {"cpu": "requests.cpu", "memory": "requests.memory"}
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
            (pods for of_class, pods in _pods(release, task_priority_class) if _counts(quota, of_class)), Totals()
        )
        wanted = _as_quota(asked)
        for resource, hard in ((quota.get("spec") or {}).get("hard") or {}).items():
            need = wanted.get(_SECOND_NAMES.get(resource, resource))
            if need is not None and need > resources.quantity(hard):
                problems.append(_problem(environment, quota["metadata"]["name"], resource, need, hard))
    return tuple(problems)


def _pods(release: Totals, task_priority_class: str) -> tuple[tuple[str, Totals], ...]:
    return ("", release), (task_priority_class, _TASK)


def _counts(quota: Manifest, priority_class: str) -> bool:
    """Whether the quota's scope takes in pods of this PriorityClass; a scope of another kind is not judged."""
    selector = ((quota.get("spec") or {}).get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_fits(expression, priority_class) for expression in selector)


def _fits(expression: Mapping[str, Any], priority_class: str) -> bool:
    if expression.get("scopeName") != "PriorityClass":
        return False
    listed = priority_class in (expression.get("values") or ())
    operator = expression.get("operator")
    if operator == "In":
        return listed
    if operator == "NotIn":
        return not listed
    return bool(priority_class) == (operator == "Exists")


def _as_quota(totals: Totals) -> Mapping[str, Decimal]:
    return {
        "pods": Decimal(totals.pods),
        "requests.cpu": Decimal(totals.request_cpu_millicores) / 1000,
        "requests.memory": Decimal(totals.request_memory_bytes),
        "limits.cpu": Decimal(totals.limit_cpu_millicores) / 1000,
        "limits.memory": Decimal(totals.limit_memory_bytes),
    }


def _problem(environment: str, quota: str, resource: str, need: Decimal, hard: str) -> Problem:
    unit = f"{need / 2**20:.0f}Mi" if resource.endswith("memory") else f"{need.normalize():f}"
    return Problem(
        pointer="/environment",
        message=f"the job needs {resource} {unit}, and quota '{quota}' of environment '{environment}' allows {hard}",
    )
