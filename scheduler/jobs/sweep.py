"""What every server does beside requests: finishes submits that were cut off, and ends what has waited too long."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, NotFoundError, SchedulerError
from scheduler.jobs import cancel, listing, submit
from scheduler.jobs.board import Board
from scheduler.jobs.ports import stamp
from scheduler.model.job import Job, JobState
from scheduler.model.types import Manifest
from scheduler.tekton import pipeline_run, view

HALF_SUBMITTED_SECONDS: Final = 15
"""How long a submit may have a run pending before others finish it."""
ORPHAN_SECONDS: Final = 600
"""How long an input may wait for its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one round did, by job id or ConfigMap."""

    finished: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """What could not be done, with its reason; the next round tries again."""


def runs(environments: Iterable[str], *, board: Board, cluster: Cluster, now: datetime) -> Swept:
    """Finish half-made submits and end jobs past their queue deadline. Asks nothing of the API server but to change."""
    done: dict[str, list[str]] = {"finished": [], "expired": [], "failed": []}
    for environment in environments:
        for job in board.all(environment):
            run = board.run(environment, job.id) if job.state == JobState.QUEUED else None
            verb = _due(job, run, now) if run else ""
            if run is None or not verb:
                continue
            try:
                if verb == "finished":
                    submit.finish(run, cluster=cluster)
                else:
                    cancel.expire(run, at=stamp(now), why=job.message, cluster=cluster)
                done[verb].append(job.id)
            except NotFoundError:
                continue  # deleted meanwhile
            except SchedulerError as error:
                done["failed"].append(f"{job.id}: {error}")
    return Swept(**{verb: tuple(found) for verb, found in done.items()})


def inputs(environments: Iterable[str], *, cluster: Cluster, now: datetime) -> Swept:
    """Delete inputs that no run came for. One that a submit takes up at the same moment is spared by its version."""
    deleted: list[str] = []
    failed: list[str] = []
    for environment in environments:
        for manifest in cluster.list("ConfigMap", environment, labels={names.UNCOMMITTED: None}):
            try:
                if _delete_orphan(manifest, cluster=cluster, now=now):
                    deleted.append(manifest["metadata"]["name"])
            except SchedulerError as error:
                failed.append(f"{manifest['metadata']['name']}: {error}")
    return Swept(deleted=tuple(deleted), failed=tuple(failed))


def _due(job: Job, run: Manifest, now: datetime) -> str:
    age = _age(listing.created(job), now)
    limit = pipeline_run.deadlines_of(job.submission).queue_seconds
    if age > timedelta(seconds=limit):
        return "expired"
    is_pending = view.text(run, "spec", "status") == pipeline_run.PENDING
    return "finished" if is_pending and age > timedelta(seconds=HALF_SUBMITTED_SECONDS) else ""


def _delete_orphan(manifest: Manifest, *, cluster: Cluster, now: datetime) -> bool:
    """Whether it was an orphan. Its run is looked for after it was read, so a run made later has touched it.

    A run of the same key may have been made from another input, of another body: it will never come for this one.
    """
    metadata = manifest["metadata"]
    touched = view.text(metadata, "annotations", names.TOUCHED) or view.text(metadata, "creationTimestamp")
    if _age(touched, now) <= timedelta(seconds=ORPHAN_SECONDS):
        return False
    with suppress(NotFoundError):
        run = cluster.get("PipelineRun", view.text(metadata, "labels", names.JOB_ID), metadata["namespace"])
        if view.text(run, "metadata", "annotations", names.INPUT) == metadata["name"]:
            return False
    with suppress(NotFoundError, ConflictError):
        version = metadata["resourceVersion"]
        cluster.delete("ConfigMap", metadata["name"], metadata["namespace"], resource_version=version)
        return True
    return False


def _age(since: str, now: datetime) -> timedelta:
    """Zero for a time that is none: what cannot be dated is not swept."""
    try:
        return now - datetime.fromisoformat(since)
    except (TypeError, ValueError):
        return timedelta()
