"""Removes one release that nobody else will remove, and notes that in its job."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.errors import ConflictError, NotFoundError, SchedulerError
from scheduler.jobs import orphans
from scheduler.jobs.orphans import Orphan, Verdict
from scheduler.jobs.ports import Ports
from scheduler.model.job import Cleanup
from scheduler.release import ports as release_ports
from scheduler.release import removal
from scheduler.release.removal import Removed
from scheduler.release.stop import Stop, StoppedError

SECONDS: Final = 12.0
"""For one try; a pod may take longer to end, and then the next try finds less."""
FORCED_SECONDS: Final = 30.0
"""The first try's outcome ends a job that was cancelled by force."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What became of one release."""

    orphan: Orphan
    is_gone: bool = False
    """Proven."""
    message: str = ""
    """What was done, or what is in the way."""


def clean(
    orphan: Orphan, *, ports: Ports, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
) -> Cleaned:
    """Remove the release within `seconds`, as the environment's runner account; nothing unless that is its verdict.

    None: as long as a try may take.

    Two who do this at once do no harm: what one has deleted the other does not find. Never raises for what the cluster
    or helm say.
    """
    if orphan.verdict is not Verdict.REMOVE:
        return Cleaned(orphan=orphan, message=orphan.why)
    limit = seconds if seconds is not None else FORCED_SECONDS if orphan.is_forced else SECONDS
    runner = ports.runner(orphan.environment)
    given = release_ports.Ports(cluster=runner.cluster, helm=runner.helm, stop=_Guard(orphan, ports), clock=clock)
    try:
        removed = removal.remove(
            orphan.release,
            namespace=orphan.environment,
            deadline=clock() + limit,
            ports=given,
            is_forced=orphan.is_forced,
        )
        message = _told(orphan, removed)
        if orphan.run_uid:
            _note(orphan, removed, message, ports)
    except SchedulerError as error:
        return Cleaned(orphan=orphan, message=str(error))
    return Cleaned(orphan=orphan, is_gone=removed.is_proven, message=message)


class _Guard(Stop):
    """Ends a removal when its release has an owner again: a job's id comes back with its idempotency key."""

    def __init__(self, orphan: Orphan, ports: Ports) -> None:
        super().__init__()
        self._orphan, self._ports = orphan, ports

    def check(self) -> None:
        orphan = self._orphan
        run = orphans.run_of(orphan.environment, orphan.release, self._ports.cluster)
        if run is not None and run["metadata"]["uid"] != orphan.run_uid:
            raise StoppedError(f"another run of job '{orphan.release}' has begun")

    def pause(self, seconds: float) -> None:
        self.bell.wait(seconds)


def _told(orphan: Orphan, removed: Removed) -> str:
    if removed.is_proven:
        count = len(orphan.objects)
        return f"the janitor removed {_listed(orphan.objects)}" if count else "the janitor found nothing of it left"
    errors = f": {'; '.join(removed.errors)}" if removed.errors else ""
    return f"the janitor has not removed {_listed(removed.leftovers)} yet{errors}"


def _listed(objects: tuple[str, ...]) -> str:
    if not objects:
        return "its release"
    more = f" and {len(objects) - _SHOWN} more" if len(objects) > _SHOWN else ""
    plural = "" if len(objects) == 1 else "s"
    return f"{len(objects)} object{plural} of its release ({', '.join(objects[:_SHOWN])}{more})"


def _note(orphan: Orphan, removed: Removed, message: str, ports: Ports) -> None:
    """Let the job show it. What is noted already is not noted again: each note is news for all who follow the job."""
    cleanup = Cleanup.CLEAN if removed.is_proven else Cleanup.LEAKED
    note = {"cleanup": cleanup.value, "leftovers": list(removed.leftovers[:_SHOWN]), "message": message}
    text = json.dumps(note, sort_keys=True)
    if text == orphan.note:
        return
    patch = {"metadata": {"uid": orphan.run_uid, "annotations": {names.JANITOR: text}}}
    with suppress(NotFoundError, ConflictError):  # deleted meanwhile
        ports.cluster.patch("PipelineRun", orphan.release, orphan.environment, patch)
