"""Says from outside that a job's scoring is complete, or has failed."""

from __future__ import annotations

import json
from typing import Final, Literal

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, UnavailableError
from scheduler.jobs import reading
from scheduler.model import job_json
from scheduler.model.job import Job, JobState
from scheduler.tekton import view

Outcome = Literal["Succeeded", "Failed"]
_OPEN: Final = frozenset({JobState.RUNNING, JobState.DRAINING})
_TRIES: Final = 5


def complete(
    job_id: str, environment: str, *, outcome: Outcome, message: str, by: str, at: str, cluster: Cluster
) -> Job:
    """Note the outcome on the run, where task wait looks for it.

    The same outcome twice changes nothing; ConflictError for another one, and for a job that is not scoring.
    """
    for _ in range(_TRIES):
        run = cluster.get("PipelineRun", job_id, environment)
        job = reading.fresh(run, cluster=cluster)
        noted = job_json.parse(view.mapping(run, "metadata", "annotations").get(names.COMPLETION)).get("outcome")
        if noted == outcome:
            return job
        if noted is not None:
            raise ConflictError(f"job '{job_id}' was completed as {noted} before")
        if job.state not in _OPEN:
            raise ConflictError(f"job '{job_id}' is {job.state.value}; only a job that scores can be completed")
        note = json.dumps({"outcome": outcome, "message": message, "by": by, "at": at}, sort_keys=True)
        version = run["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version, "annotations": {names.COMPLETION: note}}}
        try:
            return reading.fresh(cluster.patch("PipelineRun", job_id, environment, patch), cluster=cluster)
        except ConflictError:
            continue  # changed meanwhile: look again
    raise UnavailableError(f"job '{job_id}' changes faster than it can be noted; try again", retry_after_seconds=1)
