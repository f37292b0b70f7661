"""What was found out about a cluster. Whatever could not be found out says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from scheduler.inspection.rights import Right

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that nobody knows."""

    reason: str


Known: TypeAlias = _T | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Tekton:
    version: Known[str]
    """As it calls itself: `v1.15.0`."""
    settings: Mapping[str, Known[Mapping[str, str]]]
    """ConfigMap -> its data."""
    arguments: Known[tuple[str, ...]]
    """Of the controller."""
    refusal: Known[str]
    """Why a run that is only tried is not admitted; empty: it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    host: str
    failure: Known[str]
    """Why it does not answer; empty: it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    cluster: str
    """URL of the API server."""
    version: str
    user: Known[str]
    tekton: Known[Tekton | None]
    """None: the API server does not know its kinds."""
    enforces_pod_security: Known[bool]
    seccomp_defaults: Known[Mapping[str, bool]]
    """Node -> whether its kubelet gives the runtime's seccomp profile to pods that name none."""
    storage_classes: Known[Mapping[str, bool]]
    """Name -> whether it is the default."""
    missing_rights: Known[frozenset[Right]]
    registry: Registry | None = None
    """Reached from here; None: nobody asked."""
    pull_registry: Registry | None = None
    """Reached from a node; None: nobody asked."""
    enforces_network_policies: Known[bool] = field(default=Unknown(reason="not tried"))
