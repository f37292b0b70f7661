"""Scoring flows to one Bento stream configuration and what the flow runner needs beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from scheduler.errors import InvalidInputError
from scheduler.model import following
from scheduler.model.pipeline import Batch, ScoreStep, ScoringFlow, ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.preprocess import flow_ends, flow_records, flow_steps, globals_, texts, values_text
from scheduler.preprocess.channels import Channels
from scheduler.preprocess.parameters import Parameters
from scheduler.preprocess.services import Candidate
from scheduler.settings import Globals

BATCH: Final = 256
"""Records of a batch on its way through a flow that has no score step."""
THREADS: Final = 4
"""Batches that are processed at once: one waits for a scoring service while another is mapped. Their order is kept."""
IN_FLIGHT: Final = 2 * THREADS

_TEXT: Final = re.compile(r"/pipeline/processors/(?P<index>\d+)/modelops_(?:map|filter)/.*")
_LEVELS: Final = {"debug": "DEBUG", "info": "INFO", "warning": "WARN", "error": "ERROR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledFlow:
    """What runs a pipeline's flows: one stream, and the runner around it."""

    name: str
    """Of the flow, or of all of them joined by `+`."""
    engine: str
    """Bento stream configuration; equal input gives equal text."""
    runner: Mapping[str, Any]
    """`runner.json` (scheduler.flow.runner_config reads it)."""


def compile_(
    pipeline: ScoringPipeline,
    *,
    ends: Channels,
    routes: Mapping[str, tuple[Candidate, ...]],
    parameters: Parameters,
    globals_: Globals,
    release: str,
    ir_digest: str = "",
) -> CompiledFlow:
    """All flows of the pipeline, one after the other, in one stream from the source to the sink.

    The records are decoded by the first flow's input schema and encoded by the last one's output schema. Expressions in
    texts are applied here. Raises InvalidInputError with every problem; whether the texts are Bloblang is for the lint.
    """
    flows, problems = _applied(pipeline, parameters, globals_)
    problems = (*problems, *flow_steps.check(flows, routes), *flow_ends.check(ends, pipeline))
    if problems:
        raise InvalidInputError(problems)
    return CompiledFlow(
        name="+".join(flow.name for flow in flows),
        engine=values_text.to_yaml(_engine(flows, ends=ends, routes=routes, globals_=globals_)),
        runner=_runner(pipeline, flows, ends=ends, routes=routes, release=release, ir_digest=ir_digest),
    )


def in_ir(problem: Problem, pipeline: ScoringPipeline) -> Problem:
    """The engine's problem with the text of a step, told of the step in the IR; any other one as it is."""
    found = _TEXT.fullmatch(problem.pointer)
    if found is None:
        return problem
    steps = [(flow, index, step) for flow in pipeline.flows for index, step in enumerate(flow.steps)]
    flow, index, step = steps[int(found["index"]) - 1]  # before them stands the decoder
    pointer = f"/spec/steps/{index}/{flow_steps.kind(step)}"
    return replace(problem, document=f"ScoringFlow/{flow.name}", pointer=pointer, line=0)


def _applied(
    pipeline: ScoringPipeline, parameters: Parameters, platform: Globals
) -> tuple[tuple[ScoringFlow, ...], tuple[Problem, ...]]:
    flows: list[ScoringFlow] = []
    problems: tuple[Problem, ...] = ()
    for flow in pipeline.flows:
        applied, faults = texts.apply(flow, parameters=parameters.flows[flow.name], globals_=globals_.scope(platform))
        flows.append(applied)
        problems += faults
    return tuple(flows), problems


def _engine(
    flows: tuple[ScoringFlow, ...],
    *,
    ends: Channels,
    routes: Mapping[str, tuple[Candidate, ...]],
    globals_: Globals,
) -> dict[str, Any]:
    is_followed = following.is_followed(ends.source)
    processors = [
        flow_records.decode(flows[0].input, format_=flow_ends.format_(ends.source)),
        *(flow_steps.processor(flow, step, routes) for flow in flows for step in flow.steps),
        flow_records.encode(flows[-1].output, format_=flow_ends.format_(ends.sink)),
    ]
    reading = {**_batches(flows, is_paced=is_followed or not flow_ends.is_file(ends.source)), "in_flight": IN_FLIGHT}
    writing = {
        **({"flush": True} if is_followed else {}),
        "header": [field.name for field in flows[-1].output.fields],
        "max_in_flight": IN_FLIGHT,
    }
    return {
        "input": flow_ends.engine_source(ends.source, flows[0].input, reading),
        "pipeline": {"threads": THREADS, "processors": processors},
        "output": flow_ends.engine_sink(ends.sink, ends.dead_letters, writing),
        **_observability(globals_),
    }


def _batches(flows: tuple[ScoringFlow, ...], *, is_paced: bool) -> dict[str, Any]:
    """How records are read together: as many as the largest batch.

    When they come one after the other, none waits for others longer than the shortest period.
    """
    batches = [step.batch for flow in flows for step in flow.steps if isinstance(step, ScoreStep)]
    rows = max((batch.count for batch in batches), default=BATCH)
    if not is_paced:
        return {"rows": rows}
    period = min((batch.period_milliseconds for batch in batches), default=Batch().period_milliseconds)
    return {"rows": rows, "period": f"{period}ms"}


def _observability(globals_: Globals) -> dict[str, Any]:
    observed: dict[str, Any] = {
        "logger": {"level": _LEVELS.get(globals_.log_level, "INFO"), "format": "json", "add_timestamp": True},
        "metrics": {"prometheus": {}},
    }
    if globals_.trace_endpoint:
        collector = urlsplit(globals_.trace_endpoint)
        observed["tracer"] = {
            "open_telemetry_collector": {
                "http": [{"address": collector.netloc, "secure": collector.scheme == "https"}],
                "sampling": {"enabled": True, "ratio": globals_.trace_sample_ratio},
                "tags": {"service.name": "scoring-flow"},
            }
        }
    return observed


def _runner(
    pipeline: ScoringPipeline,
    flows: tuple[ScoringFlow, ...],
    *,
    ends: Channels,
    routes: Mapping[str, tuple[Candidate, ...]],
    release: str,
    ir_digest: str,
) -> dict[str, Any]:
    dead_letters = None
    if ends.dead_letters is not None and pipeline.dead_letters is not None:
        dead_letters = {**flow_ends.runner_end(ends.dead_letters), "maxRatio": pipeline.dead_letters.max_ratio}
    return {
        "release": release,
        "flow": "+".join(flow.name for flow in flows),
        "source": flow_ends.runner_source(ends.source, flows[0].input),
        "sink": {**flow_ends.runner_end(ends.sink), "irDigest": ir_digest},
        "deadLetters": dead_letters,
        "services": list(_services(flows, routes)),
        "steps": [
            {"name": flow_steps.label(flow, step), "kind": flow_steps.kind(step), "onError": step.on_error.value}
            for flow in flows
            for step in flow.steps
        ],
        "readySeconds": pipeline.deadlines.ready_seconds,
        "runSeconds": pipeline.deadlines.run_seconds,
    }


def _services(flows: tuple[ScoringFlow, ...], routes: Mapping[str, tuple[Candidate, ...]]) -> Iterator[dict[str, str]]:
    """Each service and model that a step needs, once, in the order of the steps."""
    seen: set[tuple[str, str]] = set()
    for flow in flows:
        for step in flow.steps:
            for candidate in routes[step.model] if isinstance(step, ScoreStep) else ():
                place = (candidate.url, candidate.model.name)
                if place not in seen:
                    seen.add(place)
                    yield {"url": candidate.url, "model": candidate.model.name}
