"""One job, as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import NotFoundError
from scheduler.jobs import board
from scheduler.jobs.board import Board
from scheduler.model.job import Job
from scheduler.model.types import Manifest


def query(job_id: str, *, environments: Iterable[str], board: Board, cluster: Cluster) -> Job:
    """The job with this id in one of `environments`, which the caller may read; NotFoundError otherwise.

    A job that the watches have not told of yet (another replica just made it) is asked of the API server.
    """
    environments = tuple(environments)
    for environment in environments:
        job = board.job(environment, job_id)
        if job is not None:
            return job
    for environment in environments if names.is_job_id(job_id) else ():
        with suppress(NotFoundError):
            return fresh(cluster.get("PipelineRun", job_id, environment), cluster=cluster)
    raise not_found(job_id)


def fresh(run: Manifest, *, cluster: Cluster) -> Job:
    """The job of a run that was just read, with its task runs and pods read now."""
    environment, labels = run["metadata"]["namespace"], {names.JOB_ID: run["metadata"]["name"]}
    listed = (cluster.list(kind, environment, labels=labels) for kind in ("TaskRun", "Pod"))
    job = board.project([run, *(manifest for listing in listed for manifest in listing)])
    if job is None:
        raise not_found(run["metadata"]["name"])
    return job


def not_found(job_id: str) -> NotFoundError:
    """One message for a job that does not exist and for one that the caller may not see."""
    return NotFoundError(f"there is no job '{job_id}'")
