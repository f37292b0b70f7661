"""A plan without any server: IR folder → Values, engine configuration, objects and totals, if programs are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scheduler import assets, names
from scheduler.cli import channel_files
from scheduler.errors import InvalidInputError, ProgramError, UnavailableError
from scheduler.helm.port import Helm
from scheduler.ir import load
from scheduler.ir.load import Loaded
from scheduler.jobs import scoring_servers
from scheduler.jobs.totals import JobTotals
from scheduler.lint.port import Lint
from scheduler.model import canonical
from scheduler.model.pipeline import DataChannel, Scalar, ScoringPipeline
from scheduler.model.types import Manifest
from scheduler.preprocess import flow, resolve, resources
from scheduler.preprocess.resolve import Resolved
from scheduler.preprocess.resources import Totals
from scheduler.settings import Globals

NOT_RENDERED: Final = "NOT RENDERED"
NOT_LINTED: Final = "NOT LINTED"
_NO_DIGEST: Final = "sha256:" + "0" * 64
_STORE: Final = "http://modelops-modelops-server.modelops.svc:8080"
"""Stands for the platform's own: the charts refuse a job that does not say where its models are."""
_PROGRAMS: Final = ("streaming-runtime",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to plan."""

    ir: Loaded
    environment: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    deadlines: Mapping[str, int] = field(default_factory=dict)
    data_versions: Mapping[str, str] = field(default_factory=dict)
    registry: Sequence[DataChannel] = ()
    """What stands for the environment's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflinePlan:
    pipeline: str
    ir_digest: str
    resolved: Resolved
    objects: tuple[Manifest, ...] | None
    """None: not rendered."""
    totals: Totals | None
    notes: tuple[str, ...]
    """What is not known; each begins with what was not done."""

    @property
    def is_complete(self) -> bool:
        return not any(note.startswith((NOT_RENDERED, NOT_LINTED)) for note in self.notes)


def plan(wish: Wish, *, helm: Helm, lint: Lint) -> OfflinePlan:
    """The plan; InvalidInputError with every problem. A missing helm or Bento is a note, not an error."""
    servers, ir = scoring_servers.installed(), wish.ir
    request = resolve.Request(
        job_id=names.job_id(namespace=wish.environment, key=ir.digest),
        environment=wish.environment,
        parameters=wish.parameters,
        deadlines=wish.deadlines,
        registry=wish.registry,
        globals_=Globals(artifact_store_url=_STORE),
        images={name: f"{name}@{_NO_DIGEST}" for name in (*_PROGRAMS, *(server.chart for server in servers))},
        scoring_servers=servers,
        data_versions=wish.data_versions,
        ir_digest=ir.digest,
        ir_bytes=len(canonical.json_bytes(list(ir.documents))),
    )
    resolved = resolve.values(ir.pipeline, request=request)
    linted = _lint(resolved, ir.pipeline, lint)
    objects, rendered = _render(resolved, request, helm)
    return OfflinePlan(
        pipeline=ir.pipeline.name,
        ir_digest=ir.digest,
        resolved=resolved,
        objects=objects,
        totals=None if objects is None else resources.totals(objects),
        notes=(*linted, *rendered, "images and artifact store are the platform's own once it is planned with --online"),
    )


def loaded(folder: Path) -> Loaded:
    """The IR of a folder, for the scoring servers whose charts are here."""
    return load.from_folder(folder, fill_digests=True, model_types=scoring_servers.model_types())


def registry(files: Sequence[Path]) -> tuple[DataChannel, ...]:
    """The channels of all files; InvalidInputError with every problem of all of them."""
    return tuple(item.channel for item in channel_files.read(files))


def _lint(resolved: Resolved, pipeline: ScoringPipeline, lint: Lint) -> tuple[str, ...]:
    try:
        problems = [problem for compiled in resolved.flows for problem in lint.check(compiled.engine)]
    except UnavailableError as error:
        return (f"{NOT_LINTED}: {error}",)
    if problems:
        told = [flow.in_ir(problem, pipeline) for problem in problems]
        raise InvalidInputError(told, summary="the stream engine refuses the compiled flow")
    return ()


def _render(
    resolved: Resolved, request: resolve.Request, helm: Helm
) -> tuple[tuple[Manifest, ...] | None, tuple[str, ...]]:
    try:
        helm.version()
    except ProgramError as error:
        return None, (f"{NOT_RENDERED}: {error}",)
    totals = JobTotals(helm, chart=assets.subchart("scoring-pipeline"))
    return tuple(totals.render(resolved.values, release=request.job_id, namespace=request.environment)), ()
