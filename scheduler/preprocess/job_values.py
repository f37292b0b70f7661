"""The Values document of a job: what each sub-chart of `scoring-pipeline` is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from scheduler import names
from scheduler.model import tensors
from scheduler.model.alike import nearest
from scheduler.model.pipeline import DataChannel, Model, ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.model.types import Values
from scheduler.preprocess import flow_ends, globals_
from scheduler.preprocess.channels import Channels
from scheduler.preprocess.flow import CompiledFlow
from scheduler.preprocess.merge import merge
from scheduler.preprocess.request import Request
from scheduler.preprocess.services import Services

STREAM_RETRIES: Final = 10
"""Attempts of a stream's flow after the first: it lives long enough to lose more pods than a batch."""


def build(
    pipeline: ScoringPipeline, *, request: Request, ends: Channels, scoring: Services, compiled: CompiledFlow
) -> dict[str, Any]:
    """One map: `global`, and one key for each sub-chart; a scoring server without a model is switched off by name."""
    env = [
        {"name": name, "secretRef": {"name": ref.name, "key": ref.key}}
        for name, ref in sorted(pipeline.environment_variables.items())
    ]
    return merge(
        {"global": globals_.values(request.globals_)},
        {"global": _job(pipeline, request=request, scoring=scoring)},
        {"scoring-flow": {"enabled": True, "flow": {**_flow(compiled, ends=ends, scoring=scoring), "env": env}}},
        {"scoring-flow": {"retries": STREAM_RETRIES}} if pipeline.mode == "streaming" else {},
        {"scoring-flow": _resources(pipeline.memory)},
        {server.chart: _server(scoring.charts.get(server.chart, ()), env=env) for server in request.scoring_servers},
        {"data-channel": {"enabled": True, "channels": [_channel(channel) for channel in ends.all()]}},
    )


def missing_images(request: Request, scoring: Services) -> tuple[Problem, ...]:
    """A problem for each program of the job of which the platform has no image."""
    return tuple(
        Problem(
            message=f"the platform has no image of '{program}': its values must say {program}.enabled: true, and where "
            f"it builds nothing name one in global.images.{program}",
            document="platform",
            pointer=f"/images/{program}",
            candidates=nearest(program, request.images),
        )
        for program in (names.RUNTIME, *scoring.charts)
        if program not in request.images
    )


def _job(pipeline: ScoringPipeline, *, request: Request, scoring: Services) -> Values:
    return {
        "render": "job",
        "job": {
            "id": request.job_id,
            "environment": request.environment,
            "pipeline": pipeline.name,
            "revision": request.revision,
            "mode": pipeline.mode,
            "irDigest": request.ir_digest,
        },
        "images": {program: request.images[program] for program in (names.RUNTIME, *scoring.charts)},
        "accounts": {"scoring": names.SCORING_ACCOUNT},
    }


def _flow(compiled: CompiledFlow, *, ends: Channels, scoring: Services) -> Values:
    written = flow_ends.claims([channel for channel in ends.all() if channel.direction == "sink"])
    claims = flow_ends.claims(ends.all())
    return {
        "name": compiled.name,
        "engine": compiled.engine,
        "runner": compiled.runner,
        "volumes": [{"name": _volume(claim), "claim": claim, "readOnly": claim not in written} for claim in claims],
        "services": [
            {"name": candidate.service, "model": candidate.model.name}
            for candidates in scoring.routes.values()
            for candidate in candidates
        ],
        "replicas": 1,
    }


def _resources(memory: str) -> Values:
    """Guaranteed and limited alike: what an author asks for is there, and quota and scheduler know of it."""
    return {"resources": {"requests": {"memory": memory}, "limits": {"memory": memory}}} if memory else {}


def _volume(claim: str) -> str:
    """A volume's name has neither dots nor more than 63 characters, `data-` among them; a claim's may."""
    return claim if "." not in claim and len(claim) <= 58 else names.short_hash(claim)


def _server(models: Sequence[Model], *, env: Sequence[Values]) -> Values:
    return {
        "enabled": bool(models),
        "models": [
            {
                "name": model.name,
                "type": model.type,
                "sha256": model.sha256,
                "inputs": [tensors.as_values(tensor) for tensor in tensors.of_schema(model.inputs)],
                "outputs": [tensors.as_values(tensor) for tensor in tensors.of_schema(model.outputs)],
                **({"memory": model.memory} if model.memory else {}),
            }
            for model in models
        ],
        "env": list(env) if models else [],
    }


def _channel(channel: DataChannel) -> Values:
    described = {
        "name": channel.name,
        "direction": channel.direction,
        "type": channel.type,
        "schema": channel.schema.name,
        "config": dict(channel.config),
    }
    return {**described, "dataVersion": channel.data_version} if channel.data_version else described
