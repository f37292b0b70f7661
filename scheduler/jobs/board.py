"""All jobs as they are now: projections of what the watches hold, computed once per change."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from scheduler import names
from scheduler.cluster.mirror import Mirror
from scheduler.cluster.port import Cluster
from scheduler.errors import SchedulerError
from scheduler.jobs import reading
from scheduler.model.job import Job
from scheduler.model.types import Manifest
from scheduler.tekton import job_status

_NONE: Final = (-1, None)
"""No job has this stamp."""


class Board:
    """Jobs by environment and id. Holds nothing that the mirror does not; safe for many threads.

    Reading costs no request, but one for a job whose run ended before the watches told of all its task runs.
    """

    def __init__(self, mirror: Mirror, *, cluster: Cluster) -> None:
        self.mirror = mirror
        self._cluster = cluster
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, tuple[int, Job | None]]] = {}
        """Environment -> job id -> the stamp at which it was computed, and the job."""

    def job(self, environment: str, job_id: str) -> Job | None:
        """The job, or None when no run of that id is known (yet)."""
        stamp = self.mirror.stamp(environment, job_id)
        with self._lock:
            known = self._known.get(environment, {}).get(job_id)
        if known and known[0] == stamp:
            return known[1]
        job, is_certain = self._projected(environment, job_id)
        with self._lock:
            of_environment = self._known.setdefault(environment, {})
            if stamp and is_certain:
                of_environment[job_id] = (stamp, job)
            else:
                of_environment.pop(job_id, None)
        return job

    def all(self, environment: str) -> Sequence[Job]:
        """Every job of an environment, in no order."""
        stamps = self.mirror.stamps(environment)
        with self._lock:  # once for all of them: there may be ten thousand, and lists are asked for often
            known = self._known.setdefault(environment, {})
            if len(known) > len(stamps):
                known = self._known[environment] = {job_id: known[job_id] for job_id in known if job_id in stamps}
            changed = [job_id for job_id, stamp in stamps.items() if known.get(job_id, _NONE)[0] != stamp]
            found = [known[job_id][1] for job_id in stamps.keys() - changed]
        found += [self.job(environment, job_id) for job_id in changed]
        return [job for job in found if job is not None]

    def run(self, environment: str, job_id: str) -> Manifest | None:
        return reading.run_of(self.mirror.of_job(environment, job_id))

    def _projected(self, environment: str, job_id: str) -> tuple[Job | None, bool]:
        """The job, and whether that stands until something changes: one that could not be read to its end does not."""
        objects = self.mirror.of_job(environment, job_id) if names.is_job_id(job_id) else ()
        run = reading.run_of(objects)
        if run is None:
            return None, True
        if not job_status.has_untold(run, reading.of_kind("TaskRun", objects)):
            return reading.project(run, objects), True
        if self.mirror.knows(environment):  # while the watches begin, all that is missing is on its way
            with suppress(SchedulerError):
                return reading.fresh(run, cluster=self._cluster), True
        return reading.project(run, objects, is_lagging=True), False
