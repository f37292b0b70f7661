"""The order in which a pipeline and a job's wishes become Values; every stage reports all of its problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scheduler.errors import InvalidInputError
from scheduler.model import canonical, job_size
from scheduler.model.pipeline import Deadlines, ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.model.types import Values
from scheduler.preprocess import (
    channels,
    deadlines,
    flow,
    globals_,
    job_values,
    parameters,
    services,
    texts,
    values_text,
)
from scheduler.preprocess.channels import Channels
from scheduler.preprocess.flow import CompiledFlow
from scheduler.preprocess.parameters import Parameters
from scheduler.preprocess.request import Request
from scheduler.preprocess.services import ScoringServer, Services

__all__ = ["Request", "Resolved", "ScoringServer", "values"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A job, ready to be launched."""

    values: Values
    values_text: str
    """`values.yaml`, to the byte."""
    values_digest: str
    """Of `values`, by `model.canonical`."""
    flows: tuple[CompiledFlow, ...]
    """Not linted yet."""
    deadlines: Deadlines
    models: Mapping[str, str]
    """Model -> sha256."""
    images: Mapping[str, str]
    """Program -> image reference, of those that the job runs."""
    data_versions: Mapping[str, str]
    """Source channel -> data version, where there is one."""


def values(pipeline: ScoringPipeline, *, request: Request) -> Resolved:
    """The one Values document of a job and what else is known of it; equal to the byte for equal input.

    Raises InvalidInputError with the problems of all stages at once, TooLargeError when it could not be sent.
    """
    limits, late = deadlines.resolve(pipeline.deadlines, request.deadlines)
    given, unset = parameters.resolve(pipeline, request.parameters)
    ends, unfound = _channels(pipeline, given, request)
    scoring, unserved = services.match(pipeline, request.scoring_servers, release=request.job_id)
    unpinned = job_values.missing_images(request, scoring)
    timed = replace(pipeline, deadlines=limits)
    compiled, uncompiled = _compiled(timed, ends=ends, scoring=scoring, given=given, request=request)
    problems = (*late, *unset, *unfound, *unserved, *unpinned, *uncompiled)
    if problems or ends is None or compiled is None:
        raise InvalidInputError(problems, summary=_summary(pipeline, len(problems)))
    merged = job_values.build(pipeline, request=request, ends=ends, scoring=scoring, compiled=compiled)
    text = values_text.to_yaml(merged)
    job_size.check(ir_bytes=request.ir_bytes, values_bytes=len(text.encode()))
    return Resolved(
        values=merged,
        values_text=text,
        values_digest=canonical.digest(merged),
        flows=(compiled,),
        deadlines=limits,
        models={model.name: model.sha256 for model in pipeline.models},
        images=merged["global"]["images"],
        data_versions={ends.source.name: ends.source.data_version} if ends.source.data_version else {},
    )


def _channels(
    pipeline: ScoringPipeline, given: Parameters, request: Request
) -> tuple[Channels | None, tuple[Problem, ...]]:
    platform = globals_.scope(request.globals_)
    return channels.resolve(
        pipeline,
        registry=request.registry,
        data_versions=request.data_versions,
        own_scope={"parameters": given.pipeline, "globals": platform},
        registry_scope={"parameters": {}, "globals": platform},
    )


def _compiled(
    pipeline: ScoringPipeline, *, ends: Channels | None, scoring: Services, given: Parameters, request: Request
) -> tuple[CompiledFlow | None, tuple[Problem, ...]]:
    """The compiled flow; without channels or a server for each model only its texts are checked."""
    if ends is None or len(scoring.routes) < len(pipeline.models):
        platform = globals_.scope(request.globals_)
        checks = (texts.apply(flow, parameters=given.flows[flow.name], globals_=platform) for flow in pipeline.flows)
        return None, tuple(problem for _, problems in checks for problem in problems)
    try:
        return flow.compile_(
            pipeline,
            ends=ends,
            routes=scoring.routes,
            parameters=given,
            globals_=request.globals_,
            release=request.job_id,
            ir_digest=request.ir_digest,
        ), ()
    except InvalidInputError as error:
        return None, error.problems


def _summary(pipeline: ScoringPipeline, count: int) -> str:
    return f"pipeline '{pipeline.name}' cannot run like this: {count} problem{'' if count == 1 else 's'}"
