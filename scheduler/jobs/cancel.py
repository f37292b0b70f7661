"""Ends a job before its time."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, InvalidInputError, UnavailableError
from scheduler.jobs import reading
from scheduler.model.job import Job, JobState
from scheduler.model.types import Manifest
from scheduler.tekton import ending, pipeline_run, view

Change: TypeAlias = Callable[[], Manifest]
"""Makes it, and gives the run as it is then."""
Decide: TypeAlias = Callable[[Manifest, Job], Change | None]
_TRIES: Final = 5


def cancel(job_id: str, environment: str, *, by: str, at: str, cluster: Cluster) -> Job:
    """End the job and tear it down; of a pending one nothing was installed, so it ends at once.

    A job that is cancelled already is returned as it is; ConflictError when its scoring is over. The decision is made
    on what the API server holds now, and made again when that changes in between.
    """

    def decide(run: Manifest, job: Job) -> Change | None:
        if job.state in {JobState.CANCELLED, JobState.CANCELLING}:
            return None
        _check_open(job, "cancel")
        return partial(_patched, run, by=by, at=at, mode="cancel", cluster=cluster)

    return _changed(job_id, environment, decide, done="cancelled", cluster=cluster)


def drain(job_id: str, environment: str, *, by: str, at: str, cluster: Cluster) -> Job:
    """Let a stream publish all that its source has now; end a batch without a result.

    Task wait sees the note on the run and tells the flow. Before a job scores there is nothing to drain: it is
    cancelled. One that is drained or cancelled already is returned as it is; ConflictError when its scoring is over.
    """

    def decide(run: Manifest, job: Job) -> Change | None:
        is_noted = bool(view.mapping(run, "metadata", "annotations").get(names.DRAIN))
        if is_noted or job.state in {JobState.CANCELLED, JobState.CANCELLING}:
            return None
        _check_open(job, "drain")
        if job.state == JobState.RUNNING:
            return partial(_noted, run, by=by, at=at, cluster=cluster)
        return partial(_patched, run, by=by, at=at, mode=ending.DRAIN_MODE, cluster=cluster)

    return _changed(job_id, environment, decide, done="drained", cluster=cluster)


def force(job_id: str, environment: str, *, by: str, at: str, cluster: Cluster) -> Job:
    """End the job without its own teardown, whatever it is at: for pods that never end, because their node is gone.

    Tekton ends the run at once, and the janitor removes the release; the job is CANCELLED when it has. A job that is
    cancelled, or being cancelled so, is returned as it is; ConflictError for any other that is over.
    """

    def decide(run: Manifest, job: Job) -> Change | None:
        if job.state is JobState.CANCELLED or pipeline_run.is_forced(run):
            return None
        if job.state.is_finished:
            raise ConflictError(f"job '{job_id}' is {job.state.value}: there is nothing to cancel")
        return partial(_patched, run, by=by, at=at, mode=pipeline_run.FORCE, cluster=cluster)

    return _changed(job_id, environment, decide, done="cancelled", cluster=cluster)


def expire(run: Manifest, *, at: str, why: str, cluster: Cluster) -> None:
    """End a job that has waited longer than its queue deadline; nothing when it has started or ended meanwhile.

    `why` tells what it waited for: once it is ended, the cluster does not know any more.
    """
    try:
        _patched(run, by="modelops", at=at, mode=ending.QUEUE_DEADLINE_MODE, why=why, cluster=cluster)
    except (ConflictError, InvalidInputError):
        return


def _check_open(job: Job, verb: str) -> None:
    if job.state.is_finished or job.state == JobState.FINISHING:
        raise ConflictError(f"job '{job.id}' is {job.state.value}: its scoring is over, there is nothing to {verb}")


def _changed(job_id: str, environment: str, decide: Decide, *, done: str, cluster: Cluster) -> Job:
    """The job after the change that `decide` chose for it as it is now; as it is when it chose none."""
    for _ in range(_TRIES):
        run = cluster.get("PipelineRun", job_id, environment)
        job = reading.fresh(run, cluster=cluster)
        change = decide(run, job)
        if change is None:
            return job
        try:
            return reading.fresh(change(), cluster=cluster)
        except (ConflictError, InvalidInputError):
            continue  # started, changed or ended meanwhile: look again
    raise UnavailableError(f"job '{job_id}' changes faster than it can be {done}; try again", retry_after_seconds=1)


def _noted(run: Manifest, *, by: str, at: str, cluster: Cluster) -> Manifest:
    note = json.dumps({"by": by, "at": at}, sort_keys=True)
    metadata = {"resourceVersion": run["metadata"]["resourceVersion"], "annotations": {names.DRAIN: note}}
    name, namespace = run["metadata"]["name"], run["metadata"]["namespace"]
    return cluster.patch("PipelineRun", name, namespace, {"metadata": metadata})


def _patched(run: Manifest, *, by: str, at: str, mode: str, cluster: Cluster, why: str = "") -> Manifest:
    name, namespace = run["metadata"]["name"], run["metadata"]["namespace"]
    if view.text(run, "spec", "status") == pipeline_run.PENDING:
        steps = pipeline_run.cancel_pending(by=by, at=at, mode=mode, why=why)
        return cluster.patch("PipelineRun", name, namespace, steps, type_="json")
    patch = pipeline_run.cancel(by=by, at=at, mode=mode, why=why)
    metadata = {**patch["metadata"], "resourceVersion": run["metadata"]["resourceVersion"]}
    return cluster.patch("PipelineRun", name, namespace, {**patch, "metadata": metadata})
