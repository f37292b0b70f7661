"""Whether a ResourceQuota could ever hold what pods ask for, told with numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from scheduler.model.types import Manifest
from scheduler.preprocess import resources
from scheduler.preprocess.resources import Totals

_SECOND_NAMES: Final[Mapping[str, str]] = {"cpu": "requests.cpu", "memory": "requests.memory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A hard limit that is too small."""

    quota: str
    resource: str
    """As the quota names it."""
    need: str
    hard: str


def lacking(asked: Totals, quota: Manifest) -> Iterator[Lack]:
    """Each hard limit of the quota that `asked` exceeds by itself; what others use now is not counted."""
    wanted = _as_quota(asked)
    for resource, hard in ((quota.get("spec") or {}).get("hard") or {}).items():
        need = wanted.get(_SECOND_NAMES.get(resource, resource))
        if need is not None and need > resources.quantity(hard):
            yield Lack(quota=quota["metadata"]["name"], resource=resource, need=_shown(resource, need), hard=str(hard))


def counts(quota: Manifest, priority_class: str) -> bool:
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


def _shown(resource: str, need: Decimal) -> str:
    return f"{need / 2**20:.0f}Mi" if resource.endswith("memory") else f"{need.normalize():f}"
