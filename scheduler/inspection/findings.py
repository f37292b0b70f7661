"""What is told of a cluster: one finding for each thing that jobs need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    OK = "OK"
    COSTS = "COSTS"
    """Jobs run, but slower or less safely than they could."""
    UNKNOWN = "UNKNOWN"
    """Nobody could say."""
    MISSING = "MISSING"
    """Without it nothing can be installed, or no job runs."""


class Area(StrEnum):
    KUBERNETES = "Kubernetes"
    TEKTON = "Tekton"
    POD_SECURITY = "Pod Security"
    STORAGE = "storage"
    NETWORK = "NetworkPolicy"
    REGISTRY = "registry"
    RIGHTS = "rights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    area: Area
    what: str
    """Setting, registry, right … that it is about."""
    state: State
    found: str
    cost: str = ""
    remedy: str = ""

    def document(self) -> Mapping[str, Any]:
        """For programs."""
        return {key: str(value) for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    cluster: str
    user: str
    findings: tuple[Finding, ...]

    @property
    def lacking(self) -> frozenset[Area]:
        """Where something is missing."""
        return frozenset(one.area for one in self.findings if one.state is State.MISSING)

    def document(self) -> Mapping[str, Any]:
        """For programs: plain values, with `isReady`."""
        return {
            "cluster": self.cluster,
            "user": self.user,
            "isReady": not self.lacking,
            "findings": [one.document() for one in self.findings],
        }
