"""Releases that nobody will remove any more: which they are, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import NotFoundError
from scheduler.jobs import reading
from scheduler.jobs.ports import Ports
from scheduler.model.job import Job
from scheduler.model.types import Manifest
from scheduler.release import install_pods, remains
from scheduler.tekton import pipeline_run, task_facts, view

SCANNED: Final = ("Deployment", "Job", "NetworkPolicy", "Secret", "Service")
"""Every release has at least one of these until its very end; the rest would only make a look at everything dearer."""


class Verdict(StrEnum):
    REMOVE = "remove"
    WAIT = "wait"
    """Nobody will remove it, but a pod that may still add to it is about to end."""
    KEEP = "keep"
    """The job's own teardown is to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A release, what was found of it, and what is to become of it."""

    environment: str
    release: str
    verdict: Verdict
    why: str
    objects: tuple[str, ...] = ()
    """Kind and name of each."""
    run_uid: str = ""
    """Of the run that it belongs to; empty when that is gone."""
    note: str = ""
    """What the janitor has noted on that run."""
    is_forced: bool = False


def present(environment: str, *, ports: Ports, kinds: Iterable[str] = SCANNED) -> tuple[str, ...]:
    """Names of all releases of jobs of which anything is in the environment: one list per kind."""
    cluster = ports.runner(environment).cluster
    labels = {
        (manifest["metadata"].get("labels") or {}).get(names.RELEASE, "")
        for kind in kinds
        for manifest in cluster.list(kind, environment, labels={names.RELEASE: None})
    }
    return tuple(sorted(name for name in labels if names.is_job_id(name)))


def absent(environment: str, releases: Iterable[str], *, ports: Ports) -> frozenset[str]:
    """Those of which nothing is there, and to which no install pod may still add: one list per kind for them all."""
    busy = install_pods.jobs(environment, cluster=ports.cluster)
    return frozenset(releases) - busy - frozenset(present(environment, ports=ports, kinds=remains.KINDS))


def look(environment: str, release: str, *, ports: Ports, is_patient: bool = True) -> Orphan:
    """The release as it is now, with its job as the API server has it now, not as the watches told.

    Unless `is_patient`, an install pod that is still there is waited for no longer.
    """
    run = run_of(environment, release, ports.cluster)
    job = reading.fresh(run, cluster=ports.cluster) if run else None
    verdict, why = judge(run, job)
    if verdict is Verdict.REMOVE and is_patient:
        working = install_pods.at_work(release, namespace=environment, cluster=ports.cluster)
        if working:
            verdict, why = Verdict.WAIT, f"{why}, but task install is still at work ({', '.join(working)})"
    found = remains.find(release, namespace=environment, cluster=ports.runner(environment).cluster)
    return Orphan(
        environment=environment,
        release=release,
        verdict=verdict,
        why=why,
        objects=tuple(remains.named(manifest) for manifest in found),
        run_uid=view.text(run, "metadata", "uid"),
        note=view.mapping(run, "metadata", "annotations").get(names.JANITOR, ""),
        is_forced=run is not None and pipeline_run.is_forced(run),
    )


def judge(run: Manifest | None, job: Job | None) -> tuple[Verdict, str]:
    """What is to become of the release of this run and job; never touched as long as the run is alive."""
    if run is None or job is None:
        return Verdict.REMOVE, "its PipelineRun is gone"
    if job.state.is_finished:
        return Verdict.REMOVE, f"its job is {job.state.value} with cleanup {job.cleanup.value}"
    if pipeline_run.is_forced(run) and task_facts.condition_of(run).is_final:
        return Verdict.REMOVE, "its job was cancelled by force"
    return Verdict.KEEP, f"its job is {job.state.value}"


def run_of(environment: str, name: str, cluster: Cluster) -> Manifest | None:
    """The run of this job, asked of the API server."""
    try:
        return cluster.get("PipelineRun", name, environment)
    except NotFoundError:
        return None
