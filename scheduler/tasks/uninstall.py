"""Task `uninstall`: remove the job's release, and prove that nothing of it is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scheduler.model.job import Cleanup, Reason
from scheduler.release import install_pods, removal
from scheduler.release.ports import Ports
from scheduler.release.removal import Removed

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninstalled:
    cleanup: Cleanup
    leftovers: tuple[str, ...] = ()
    message: str = ""
    reason: Reason = Reason.NONE

    def fields(self) -> dict[str, object]:
        return {
            "cleanup": self.cleanup.value,
            "reason": self.reason.value,
            "leftovers": list(self.leftovers[:_SHOWN]),
            "message": self.message,
        }


def run(job: str, *, namespace: str, seconds: float, ports: Ports) -> Uninstalled:
    """CLEAN means that no object bears the release's label and nobody is left who could make one.

    Tekton starts this task as soon as it has *asked* for the deletion of a cancelled install pod, whose helm may still
    be at work: so that pod is waited for first, and looked for again at the end.
    """
    cluster, clock = ports.cluster, ports.clock
    deadline = clock() + seconds
    patience = min(clock() + install_pods.PATIENCE_SECONDS, clock() + seconds / 2)
    while install_pods.at_work(job, namespace=namespace, cluster=cluster) and clock() < patience:
        ports.stop.pause(0.25)
    while True:
        removed = removal.remove(job, namespace=namespace, deadline=deadline, ports=ports)
        working = install_pods.at_work(job, namespace=namespace, cluster=cluster)
        if (removed.is_proven and not working) or clock() >= deadline:
            return _told(removed, working)
        ports.stop.pause(0.5)


def _told(removed: Removed, working: tuple[str, ...]) -> Uninstalled:
    said = "; ".join(removed.errors)
    if removed.is_proven and not working:
        return Uninstalled(cleanup=Cleanup.CLEAN, message=said)
    leftovers = (*removed.leftovers, *(f"Pod/{name}" for name in working))
    count = len(leftovers)
    message = f"{count} object{'' if count == 1 else 's'} of the release left when the finish deadline came"
    if not count:
        message = "that nothing of the release is left could not be proven before the finish deadline came"
    return Uninstalled(
        cleanup=Cleanup.LEAKED,
        leftovers=leftovers,
        message=f"{message}: {said}" if said else message,
        reason=Reason.FINISH_DEADLINE,
    )
