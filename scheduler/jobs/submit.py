"""Starts one job, so that no crash loses it and no retry doubles it.

    ConfigMap (uncommitted)  →  PipelineRun (pending)  →  owner reference  →  un-pend
                                 ^ the only commit        └ finished by whoever finds them undone ┘

The run's name derives from the idempotency key, so a retry meets its own earlier self at every step.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from scheduler.jobs import prepare, reading
from scheduler.jobs.order import Order
from scheduler.jobs.ports import Ports
from scheduler.model.job import Job
from scheduler.model.types import Manifest
from scheduler.settings import Settings
from scheduler.tekton import job_input, job_status, pipeline_run, view
from scheduler.tekton.job_input import JobInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    job: Job
    is_new: bool
    """False: an earlier request with the same key and body had made it."""


def submit(wanted: Order, *, key: str, by: str, ports: Ports) -> Submitted:
    """Start the job, or find the one that this key has started.

    Without a key (empty) each call starts its own. ConflictError when the key was used with another body. Nothing is
    made unless the whole order is valid.
    """
    job_id = names.job_id(namespace=wanted.environment, key=key or secrets.token_hex(16))
    digest = wanted.digest
    if key:
        try:
            found = ports.cluster.get("PipelineRun", job_id, wanted.environment)
        except NotFoundError:
            pass
        else:
            return Submitted(job=_taken_up(found, digest, ports.cluster), is_new=False)
    prepared = prepare.prepare(wanted, job_id=job_id, ports=ports)
    prepare.grant_models(prepared, environment=wanted.environment, ports=ports)
    given = prepare.input_of(prepared, wanted=wanted, job_id=job_id, by=by, at=ports.now())
    manifest = job_input.build(given, ir=prepared.ir_text, values=prepared.resolved.values_text)
    kept = _kept(manifest, ports)
    try:
        run = ports.cluster.create(pipeline_run.build(_request(kept, ports.settings)))
    except ConflictError:
        found = ports.cluster.get("PipelineRun", job_id, wanted.environment)
        return Submitted(job=_taken_up(found, digest, ports.cluster), is_new=False)
    return Submitted(job=job_status.project(finish(run, cluster=ports.cluster)), is_new=True)


def finish(run: Manifest, *, cluster: Cluster) -> Manifest:
    """Do what is left after a run's create: make it the owner of its input, and let it go. May be done twice.

    A run whose input is gone cannot start; it is ended instead.
    """
    name, namespace = run["metadata"]["name"], run["metadata"]["namespace"]
    steps = pipeline_run.start()
    try:
        cluster.patch(
            "ConfigMap", view.text(run, "metadata", "annotations", names.INPUT), namespace, job_input.owned_by(run)
        )
    except NotFoundError:
        steps = pipeline_run.cancel_pending(by="modelops, because the job's input is gone", at="", mode="cancel")
    try:
        return cluster.patch("PipelineRun", name, namespace, steps, type_="json")
    except InvalidInputError:
        return cluster.get("PipelineRun", name, namespace)  # somebody else has started or ended it


def _taken_up(run: Manifest, digest: str, cluster: Cluster) -> Job:
    """The job of a run that is there already, its submit finished if that was cut off."""
    if view.text(run, "metadata", "annotations", names.BODY_DIGEST) != digest:
        raise ConflictError("this idempotency key was used with another body; a new job needs a new key")
    if view.text(run, "spec", "status") == pipeline_run.PENDING:
        run = finish(run, cluster=cluster)
    return reading.fresh(run, cluster=cluster)


def _kept(manifest: Manifest, ports: Ports) -> JobInput:
    """What the job's ConfigMap holds: this content, or that of an earlier try with the same key and body.

    The earlier content stands, so that everybody who makes the run makes the same one.
    """
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    for _ in range(3):
        try:
            return job_input.read(ports.cluster.create(manifest))
        except ConflictError:
            try:
                touch = {"metadata": {"annotations": {names.TOUCHED: ports.now()}}}
                found = job_input.read(ports.cluster.patch("ConfigMap", name, namespace, touch))
            except NotFoundError:
                continue  # swept meanwhile
        if found.body_digest != job_input.read(manifest).body_digest:
            raise ConflictError(f"ConfigMap '{name}' is not the input of this job")
        return found
    raise UnavailableError(f"ConfigMap '{name}' comes and goes; try again", retry_after_seconds=1)


def _request(given: JobInput, settings: Settings) -> pipeline_run.Request:
    return pipeline_run.Request(
        input=given,
        task_image=settings.task_image,
        priority_class=settings.task_priority_class,
        log_level=settings.globals_.log_level,
        pull_secrets=settings.globals_.image_pull_secrets,
        platform=settings.platform,
    )
