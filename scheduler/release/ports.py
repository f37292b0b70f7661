"""What installing and removing a release works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scheduler.cluster.port import Cluster
from scheduler.helm.port import Helm
from scheduler.release.stop import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    cluster: Cluster
    helm: Helm
    stop: Stop
    clock: Callable[[], float]
    """Seconds, from wherever."""
