"""All jobs as they are now: projections of what the watches hold, computed once per change."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from scheduler import names
from scheduler.cluster.mirror import Mirror
from scheduler.model.job import Job
from scheduler.model.types import Manifest
from scheduler.tekton import job_status


class Board:
    """Jobs by environment and id. Holds nothing that the mirror does not; safe for many threads."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[int, Job | None]] = {}

    def job(self, environment: str, job_id: str) -> Job | None:
        """The job, or None when no run of that id is known (yet)."""
        key, stamp = (environment, job_id), self.mirror.stamp(environment, job_id)
        with self._lock:
            known = self._known.get(key)
        if known and known[0] == stamp:
            return known[1]
        job = project(self.mirror.of_job(environment, job_id)) if names.is_job_id(job_id) else None
        with self._lock:
            if stamp:
                self._known[key] = (stamp, job)
            else:
                self._known.pop(key, None)
        return job

    def all(self, environment: str) -> Sequence[Job]:
        """Every job of an environment, in no order."""
        found = (self.job(environment, job_id) for job_id in self.mirror.jobs(environment))
        return [job for job in found if job is not None]

    def run(self, environment: str, job_id: str) -> Manifest | None:
        return _run_of(self.mirror.of_job(environment, job_id))


def project(objects: Iterable[Manifest]) -> Job | None:
    """The job that these objects are of; None when its run is not among them."""
    by_kind: dict[str, list[Manifest]] = {"TaskRun": [], "Pod": []}
    objects = list(objects)
    for manifest in objects:
        by_kind.setdefault(manifest["kind"], []).append(manifest)
    run = _run_of(objects)
    return None if run is None else job_status.project(run, task_runs=by_kind["TaskRun"], pods=by_kind["Pod"])


def _run_of(objects: Iterable[Manifest]) -> Manifest | None:
    """A run that bears another's id as its label is no job."""
    for manifest in objects:
        metadata = manifest["metadata"]
        if manifest["kind"] == "PipelineRun" and metadata["name"] == metadata["labels"].get(names.JOB_ID):
            return manifest
    return None
