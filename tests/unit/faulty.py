"""A `Cluster` that fails at one chosen call, before or after its effect: a crash, or an answer that was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from scheduler.cluster import faults
from scheduler.cluster.faults import Gap
from scheduler.cluster.port import Cluster
from scheduler.errors import UnavailableError


class Killed(BaseException):
    """The process ended here: nothing after it happens, no handler for errors runs."""


class FaultyCluster:
    """Passes every call on until number `at` (from 0); that one fails, and the process is dead from then on."""

    def __init__(
        self, inner: Cluster, *, at: int, when: Literal["before", "after"], fault: Callable[[], BaseException] = Killed
    ) -> None:
        self._inner = inner
        self._at = at
        self._when = when
        self._fault = fault
        self.seen: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*args: object, **kwargs: object) -> object:
            number = len(self.seen)
            self.seen.append(name)
            if number == self._at and self._when == "before":
                raise self._fault()
            try:
                return method(*args, **kwargs)
            finally:
                if number == self._at:
                    raise self._fault()

        return call


def dying(cluster: Cluster, gap: Gap, *, error: type[BaseException] = Killed) -> Cluster:
    """The cluster of a process that ends in this gap."""

    def tap(reached: Gap) -> None:
        if reached == gap:
            raise error("here")

    return faults.tapped(cluster, tap)


def lost() -> BaseException:
    """An answer that never came."""
    return UnavailableError("no answer in time")


def each_step() -> Iterator[tuple[int, Literal["before", "after"]]]:
    """Every place where a call can fail, for more calls than any use case makes."""
    for number in range(12):
        yield number, "before"
        yield number, "after"
