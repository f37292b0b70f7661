"""From a job's objects to the job: as the watches have told of them, or as the API server has them now."""

from __future__ import annotations

from collections.abc import Iterable

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import NotFoundError
from scheduler.model.job import Job
from scheduler.model.types import Manifest
from scheduler.tekton import job_status

_PARTS = ("TaskRun", "Pod")


def fresh(run: Manifest, *, cluster: Cluster) -> Job:
    """The job of a run that was just read, with its task runs and pods read now."""
    environment, labels = run["metadata"]["namespace"], {names.JOB_ID: run["metadata"]["name"]}
    listed = (cluster.list(kind, environment, labels=labels) for kind in _PARTS)
    if run_of([run]) is None:
        raise not_found(run["metadata"]["name"])
    return project(run, [manifest for listing in listed for manifest in listing])


def project(run: Manifest, objects: Iterable[Manifest], *, is_lagging: bool = False) -> Job:
    """The job of this run; `is_lagging` as `job_status.project` says."""
    found = list(objects)
    return job_status.project(
        run, task_runs=of_kind("TaskRun", found), pods=of_kind("Pod", found), is_lagging=is_lagging
    )


def of_kind(kind: str, objects: Iterable[Manifest]) -> list[Manifest]:
    return [manifest for manifest in objects if manifest["kind"] == kind]


def run_of(objects: Iterable[Manifest]) -> Manifest | None:
    """The run among a job's objects. One that bears another's id as its label is no job."""
    for manifest in of_kind("PipelineRun", objects):
        metadata = manifest["metadata"]
        if metadata["name"] == metadata["labels"].get(names.JOB_ID):
            return manifest
    return None


def not_found(job_id: str) -> NotFoundError:
    """One message for a job that does not exist and for one that the caller may not see."""
    words = (
        "; a job whose PipelineRun was deleted is known no more (`modelops job cleanup --dry-run` tells what jobs left)"
    )
    return NotFoundError(f"there is no job '{job_id}'{words if names.is_job_id(job_id) else ''}")
