"""Ends a job before its time."""

from __future__ import annotations

import json
from typing import Final, Literal

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, InvalidInputError, UnavailableError
from scheduler.jobs import reading
from scheduler.model.job import Job, JobState
from scheduler.model.types import Manifest
from scheduler.tekton import ending, pipeline_run, view

Mode = Literal["cancel", "drain"]
_TRIES: Final = 5


def cancel(job_id: str, environment: str, *, by: str, at: str, cluster: Cluster, mode: str = "cancel") -> Job:
    """End the job and tear it down; of a pending one nothing was installed, so it ends at once.

    A job that is cancelled already is returned as it is; ConflictError when its scoring is over. The decision is made
    on what the API server holds now, and made again when that changes in between.
    """
    for _ in range(_TRIES):
        run = cluster.get("PipelineRun", job_id, environment)
        job = reading.fresh(run, cluster=cluster)
        if job.state in {JobState.CANCELLED, JobState.CANCELLING}:
            return job
        if job.state.is_finished or job.state == JobState.FINISHING:
            raise ConflictError(f"job '{job_id}' is {job.state.value}: its scoring is over, there is nothing to cancel")
        try:
            return reading.fresh(_patched(run, by=by, at=at, mode=mode, cluster=cluster), cluster=cluster)
        except (ConflictError, InvalidInputError):
            continue  # started, changed or ended meanwhile: look again
    raise UnavailableError(f"job '{job_id}' changes faster than it can be cancelled; try again", retry_after_seconds=1)


def drain(job_id: str, environment: str, *, by: str, at: str, cluster: Cluster) -> Job:
    """Let the job finish what it has read and end; before it scores there is nothing to finish, so it is cancelled."""
    run = cluster.get("PipelineRun", job_id, environment)
    job = reading.fresh(run, cluster=cluster)
    if job.state == JobState.DRAINING:
        return job
    if job.state != JobState.RUNNING:
        return cancel(job_id, environment, by=by, at=at, cluster=cluster, mode="drain")
    note = json.dumps({"by": by, "at": at}, sort_keys=True)
    patch = {"metadata": {"annotations": {names.DRAIN: note}}}
    return reading.fresh(cluster.patch("PipelineRun", job_id, environment, patch), cluster=cluster)


def expire(run: Manifest, *, at: str, why: str, cluster: Cluster) -> None:
    """End a job that has waited longer than its queue deadline; nothing when it has started or ended meanwhile.

    `why` tells what it waited for: once it is ended, the cluster does not know any more.
    """
    try:
        _patched(run, by="modelops", at=at, mode=ending.QUEUE_DEADLINE_MODE, why=why, cluster=cluster)
    except (ConflictError, InvalidInputError):
        return


def _patched(run: Manifest, *, by: str, at: str, mode: str, cluster: Cluster, why: str = "") -> Manifest:
    name, namespace = run["metadata"]["name"], run["metadata"]["namespace"]
    if view.text(run, "spec", "status") == pipeline_run.PENDING:
        steps = pipeline_run.cancel_pending(by=by, at=at, mode=mode, why=why)
        return cluster.patch("PipelineRun", name, namespace, steps, type_="json")
    patch = pipeline_run.cancel(by=by, at=at, mode=mode, why=why)
    metadata = {**patch["metadata"], "resourceVersion": run["metadata"]["resourceVersion"]}
    return cluster.patch("PipelineRun", name, namespace, {**patch, "metadata": metadata})
