"""What a job's rendered objects ask of an environment: pods, CPU and memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from scheduler.model.types import Manifest

_SUFFIXES: Final[Mapping[str, Decimal]] = {
    "n": Decimal(10) ** -9, "u": Decimal(10) ** -6, "m": Decimal(10) ** -3, "": Decimal(1),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12, "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18, "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40, "Pi": Decimal(2) ** 50, "Ei": Decimal(2) ** 60,
}  # fmt: skip
_QUANTITY: Final = re.compile(r"([+-]?[0-9]*\.?[0-9]+)(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over all pods that the objects make at once, as a ResourceQuota counts them."""

    pods: int = 0
    request_cpu_millicores: int = 0
    request_memory_bytes: int = 0
    limit_cpu_millicores: int = 0
    limit_memory_bytes: int = 0

    def to_json(self) -> dict[str, int]:
        """As plans show them."""
        return {
            "pods": self.pods,
            "requestCpuMillicores": self.request_cpu_millicores,
            "requestMemoryBytes": self.request_memory_bytes,
            "limitCpuMillicores": self.limit_cpu_millicores,
            "limitMemoryBytes": self.limit_memory_bytes,
        }

    def __add__(self, other: Totals) -> Totals:
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in Totals.__slots__})

    def __mul__(self, count: int) -> Totals:
        return Totals(**{name: getattr(self, name) * count for name in Totals.__slots__})


def totals(manifests: Iterable[Manifest]) -> Totals:
    """What the Deployments, Jobs and Pods among `manifests` ask for; all other kinds ask for nothing."""
    return sum((_of_object(manifest) for manifest in manifests), Totals())


def quantity(text: str | float) -> Decimal:
    """A Kubernetes quantity as a number; ValueError for anything else.

    >>> quantity("250m"), quantity("64Mi"), quantity("1e3"), quantity(2)
    (Decimal('0.250'), Decimal('67108864'), Decimal('1E+3'), Decimal('2'))
    """
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        raise ValueError(f"'{text}' is no quantity such as '250m' or '64Mi'")
    number, exponent, suffix = found.groups()
    return Decimal(number + (exponent or "")) * _SUFFIXES[suffix or ""]


def _of_object(manifest: Manifest) -> Totals:
    spec: Mapping[str, Any] = manifest.get("spec") or {}
    match manifest.get("kind"):
        case "Deployment":
            return _of_pod(spec["template"]["spec"]) * _count(spec.get("replicas"))
        case "Job":
            completions = spec.get("completions")
            at_once = _count(spec.get("parallelism"))
            return _of_pod(spec["template"]["spec"]) * (at_once if completions is None else min(at_once, completions))
        case "Pod":
            return _of_pod(spec)
    return Totals()


def _count(value: int | None) -> int:
    return 1 if value is None else value


def _of_pod(spec: Mapping[str, Any]) -> Totals:
    """The larger of what all containers ask together and what any init container asks alone, as Kubernetes does.

    An init container with `restartPolicy: Always` goes on beside all that start after it.
    """
    together = dict.fromkeys(_TERMS, Decimal(0))
    highest = dict.fromkeys(_TERMS, Decimal(0))
    for container in spec.get("initContainers") or ():
        beside = container.get("restartPolicy") == "Always"
        for term in _TERMS:
            asked = _asked(container, *term)
            highest[term] = max(highest[term], together[term] + asked)
            together[term] += asked if beside else 0
    for term in _TERMS:
        together[term] += sum(_asked(container, *term) for container in spec.get("containers") or ())
        highest[term] = max(highest[term], together[term])
    return Totals(
        pods=1,
        request_cpu_millicores=int(highest["requests", "cpu"] * 1000),
        request_memory_bytes=int(highest["requests", "memory"]),
        limit_cpu_millicores=int(highest["limits", "cpu"] * 1000),
        limit_memory_bytes=int(highest["limits", "memory"]),
    )


_TERMS: Final = (("requests", "cpu"), ("requests", "memory"), ("limits", "cpu"), ("limits", "memory"))


def _asked(container: Mapping[str, Any], kind: str, resource: str) -> Decimal:
    """A request that is not given equals the limit, as the API server fills it in."""
    resources = container.get("resources") or {}
    given = (resources.get(kind) or {}).get(resource)
    if given is None and kind == "requests":
        given = (resources.get("limits") or {}).get(resource)
    return quantity(given) if given is not None else Decimal(0)
