"""Removing a release until nothing of it is left, whatever helm says and however often it is begun."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, NotFoundError, SchedulerError
from scheduler.model.types import Manifest
from scheduler.release import remains
from scheduler.release.ports import Ports
from scheduler.release.stop import StoppedError

_PAUSES: Final = (0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.5, 1.0)
_STRAY_SECONDS: Final = 3.0
"""What a controller or the garbage collector has not begun to delete by then is deleted here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How far the removal came."""

    leftovers: tuple[str, ...] = ()
    """Kind and name of each object that is still there."""
    errors: tuple[str, ...] = ()
    """What helm or the API server said on the way, each once."""
    is_proven: bool = False
    """Whether every kind was asked for and none had an object of the release."""


def remove(release: str, *, namespace: str, deadline: float, ports: Ports, is_forced: bool = False) -> Removed:
    """Uninstall, then wait and delete until a query over all kinds is empty or the clock reaches `deadline`.

    With `is_forced` pods that do not end are taken out of the cluster without a word from their node.
    Never raises for what helm or the API server say: that is in `errors`. StoppedError when it is asked to end.
    """
    cluster, clock = ports.cluster, ports.clock
    errors: dict[str, None] = {}
    began = clock()
    is_uninstalled = False
    left: list[Manifest] = []
    waiting: tuple[str, ...] = remains.KINDS
    for turn in range(10**9):
        ports.stop.check()
        try:
            is_uninstalled = is_uninstalled or _uninstalled(release, namespace, ports, errors)
            left = remains.find(release, namespace=namespace, cluster=cluster, kinds=waiting)
            if not left and waiting != remains.KINDS:
                left = remains.find(release, namespace=namespace, cluster=cluster)
            if not left:
                return Removed(errors=tuple(errors), is_proven=True)
            waiting = tuple(kind for kind in remains.KINDS if any(item["kind"] == kind for item in left))
            if clock() - began > _STRAY_SECONDS:
                _delete_strays(left, namespace=namespace, cluster=cluster, is_forced=is_forced)
        except StoppedError:
            raise
        except SchedulerError as error:
            errors[str(error)] = None
        if clock() >= deadline:
            break
        ports.stop.pause(_PAUSES[min(turn, len(_PAUSES) - 1)])
    return Removed(leftovers=tuple(remains.named(item) for item in left), errors=tuple(errors))


def _uninstalled(release: str, namespace: str, ports: Ports, errors: dict[str, None]) -> bool:
    """True once helm has no record of the release; what it leaves behind is looked for by label.

    So is what it cannot remove because its record is damaged: that helm fails is noted, and stops nothing.
    """
    try:
        ports.helm.uninstall(release, namespace=namespace)
    except NotFoundError:
        return True
    except SchedulerError as error:
        ports.stop.check()  # helm fails when it is terminated
        errors[str(error)] = None
        return False
    return True


def _delete_strays(left: list[Manifest], *, namespace: str, cluster: Cluster, is_forced: bool) -> None:
    for item in left:
        metadata = item["metadata"]
        grace_seconds = 0 if is_forced and item["kind"] == "Pod" else None
        if "deletionTimestamp" not in metadata or grace_seconds is not None:
            with suppress(NotFoundError, ConflictError):
                cluster.delete(
                    item["kind"], metadata["name"], namespace, uid=metadata["uid"], grace_seconds=grace_seconds
                )
