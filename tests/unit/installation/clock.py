"""Time that passes only when something pauses."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.cluster.port import Cluster
from scheduler.installation.cancelling import Ports
from scheduler.release.stop import Stop


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class InstantStop(Stop):
    """Pauses by turning the clock; `meanwhile` is what the rest of the world does in that time."""

    def __init__(self, clock: Clock, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._clock = clock
        self._meanwhile = meanwhile

    def pause(self, seconds: float) -> None:
        self.check()
        self._clock.now += seconds
        self._meanwhile()


def ports(cluster: Cluster, meanwhile: Callable[[], None] = lambda: None) -> Ports:
    clock = Clock()
    return Ports(cluster=cluster, stop=InstantStop(clock, meanwhile), clock=clock)
