"""Ending installation runs that are under way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scheduler.cluster.port import Cluster
from scheduler.errors import InvalidInputError, NotFoundError, UnavailableError
from scheduler.installation import runs
from scheduler.model.types import Manifest
from scheduler.release.stop import Stop

_PAUSE_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What starting and removing an installation work with."""

    cluster: Cluster
    stop: Stop
    clock: Callable[[], float]
    """Seconds, from wherever."""

    def pause(self) -> None:
        self.stop.pause(_PAUSE_SECONDS)


def cancel(found: Iterable[Manifest], *, deadline: float, ports: Ports) -> None:
    """Cancel those that are not finished, and wait until they are: until then a deployment may still be at work.

    UnavailableError when the deadline comes first.
    """
    waiting = [run for run in found if not runs.is_finished(run)]
    for run in waiting:
        _log.info("cancelling the installation %s", run["metadata"]["name"])
        _cancel(run, ports.cluster)
    while waiting:
        waiting = [now for run in waiting if (now := _again(run, ports.cluster)) and not runs.is_finished(now)]
        if waiting and ports.clock() >= deadline:
            raise UnavailableError(f"earlier installations were cancelled and do not end: {runs.named(waiting)}")
        if waiting:
            ports.pause()


def _cancel(run: Manifest, cluster: Cluster) -> None:
    metadata = run["metadata"]
    # a run that has not begun has nothing to finish: Tekton takes the plain word only
    is_pending = (run.get("spec") or {}).get("status") == "PipelineRunPending"
    status = "Cancelled" if is_pending else "CancelledRunFinally"
    # it may have ended, or gone, in the meantime: that is seen when it is looked at again
    with suppress(InvalidInputError, NotFoundError):
        cluster.patch("PipelineRun", metadata["name"], metadata["namespace"], {"spec": {"status": status}})


def _again(run: Manifest, cluster: Cluster) -> Manifest | None:
    try:
        return cluster.get("PipelineRun", run["metadata"]["name"], run["metadata"]["namespace"])
    except NotFoundError:
        return None
