"""Everything about a job that can be known before anything is made: what `plan` shows and `submit` starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.jobs import ir_source, order, quota
from scheduler.jobs.ir_source import Origin
from scheduler.jobs.order import Order
from scheduler.jobs.ports import Ports
from scheduler.model import canonical
from scheduler.model.job import Submission
from scheduler.model.pipeline import ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.preprocess import channels, flow, resolve
from scheduler.preprocess.resolve import Resolved
from scheduler.preprocess.resources import Totals
from scheduler.tekton.job_input import JobInput

_ANY_ID: Final = "j" + "a" * 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A job that could start as it is."""

    origin: Origin
    resolved: Resolved
    ir_text: str
    totals: Totals


def prepare(wanted: Order, *, job_id: str, ports: Ports) -> Prepared:
    """The order, checked and compiled down to its Values.

    InvalidInputError with all problems that could be found at once; nothing was changed anywhere.
    """
    order.check(wanted)
    origin = ir_source.resolve(wanted, store=ports.store, git=ports.git, model_types=ports.model_types)
    ir_text = canonical.json_bytes(list(origin.loaded.documents)).decode()
    resolved = _resolved(origin.loaded.pipeline, _request(wanted, origin, job_id, len(ir_text.encode()), ports), ports)
    _lint(resolved, origin.loaded.pipeline, job_id, ports)
    totals = ports.totals.of(resolved.values, namespace=wanted.environment)
    _check_quota(totals, wanted.environment, ports)
    return Prepared(origin=origin, resolved=resolved, ir_text=ir_text, totals=totals)


def input_of(prepared: Prepared, *, wanted: Order, job_id: str, by: str, at: str) -> JobInput:
    """What the job's record says of it."""
    resolved = prepared.resolved
    body_digest, ir_digest = wanted.digest, prepared.origin.loaded.digest
    submission = Submission(
        pipeline=prepared.origin.loaded.pipeline.name,
        revision=prepared.origin.revision,
        parameters=wanted.parameters,
        labels=wanted.labels,
        deadlines=resolved.deadlines.by_phase,
        trigger=wanted.trigger,
        git=prepared.origin.git,
        data_versions=resolved.data_versions,
        submitted_by=by,
        submitted_at=at,
        digests={
            "body": body_digest,
            "ir": ir_digest,
            "values": resolved.values_digest,
            "models": dict(resolved.models),
            "images": dict(resolved.images),
        },
    )
    return JobInput(
        job_id=job_id,
        namespace=wanted.environment,
        submission=submission,
        body_digest=body_digest,
        ir_digest=ir_digest,
        values_digest=resolved.values_digest,
    )


def grant_models(prepared: Prepared, *, environment: str, ports: Ports) -> None:
    """Let the environment download the job's models; InvalidInputError names each that the store does not have."""
    problems: list[Problem] = []
    for model, sha256 in sorted(prepared.resolved.models.items()):
        try:
            ports.store.grant(sha256, environment)
        except NotFoundError:
            message = f"the artifact store has no file with sha256 {sha256}: upload it with `modelops deploy`"
            problems.append(Problem(document=f"Model/{model}", pointer="/spec/sha256", message=message))
    if problems:
        raise InvalidInputError(problems)


def _resolved(pipeline: ScoringPipeline, request: resolve.Request, ports: Ports) -> Resolved:
    """Only the channels that are named are read. All are read where something is wrong: to say what would be right."""
    named = channels.registered(pipeline)
    try:
        found = ports.channels(request.environment, named) if named else ()
        return resolve.values(pipeline, request=replace(request, registry=found))
    except InvalidInputError:
        return resolve.values(pipeline, request=replace(request, registry=ports.channels(request.environment, None)))


def _request(wanted: Order, origin: Origin, job_id: str, ir_bytes: int, ports: Ports) -> resolve.Request:
    settings = ports.settings
    return resolve.Request(
        job_id=job_id,
        environment=wanted.environment,
        parameters=wanted.parameters,
        deadlines=wanted.deadlines,
        globals_=settings.globals_,
        images=settings.images,
        scoring_servers=ports.scoring_servers,
        revision=origin.revision,
        data_versions=wanted.data_versions,
        ir_digest=origin.loaded.digest,
        ir_bytes=ir_bytes,
    )


def _lint(resolved: Resolved, pipeline: ScoringPipeline, job_id: str, ports: Ports) -> None:
    """With one id in place of the job's own, jobs that differ in nothing else share one lint."""
    engines = [compiled.engine.replace(job_id, _ANY_ID) for compiled in resolved.flows]
    problems = [problem for engine in engines for problem in ports.linter.check(engine)]
    if problems:
        told = [flow.in_ir(problem, pipeline) for problem in problems]
        raise InvalidInputError(told, summary="the stream engine refuses the compiled flow")


def _check_quota(totals: Totals, environment: str, ports: Ports) -> None:
    problems = quota.validate(
        totals,
        # hard limits change seldom, and a submit that comes a moment after one is no worse than one before it
        ports.cluster.list("ResourceQuota", environment, may_lag=True),
        environment=environment,
        task_priority_class=ports.settings.task_priority_class,
    )
    if problems:
        raise InvalidInputError(problems, summary="the environment has no room for this job")
