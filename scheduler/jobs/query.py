"""One job, as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import NotFoundError
from scheduler.jobs import reading
from scheduler.jobs.board import Board
from scheduler.model.job import Job


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
        if board.mirror.is_refused(environment):
            continue  # the namespace is gone, and its jobs with it
        with suppress(NotFoundError):
            return reading.fresh(cluster.get("PipelineRun", job_id, environment), cluster=cluster)
    raise reading.not_found(job_id)
