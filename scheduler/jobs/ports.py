"""What the use cases need of the world, handed to them as one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.cluster.port import Cluster
from scheduler.ir.load import Loaded
from scheduler.jobs.board import Board
from scheduler.jobs.order import GitPlace
from scheduler.jobs.totals import JobTotals
from scheduler.model.pipeline import DataChannel
from scheduler.model.problem import Problem
from scheduler.model.types import Document
from scheduler.preprocess.services import ScoringServer
from scheduler.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A revision of a pipeline, as the modelops server keeps it."""

    number: int
    documents: tuple[Document, ...]


class Store(Protocol):
    """Pipelines and models on the modelops server."""

    def revision(self, pipeline: str, number: int | None) -> Revision:
        """That revision, or the newest; NotFoundError without it."""
        ...

    def grant(self, sha256: str, *, environment: str) -> None:
        """Let pods of the environment download a model; NotFoundError when the store does not have it."""
        ...


class Git(Protocol):
    """The git server."""

    def load(self, place: GitPlace) -> tuple[Loaded, str]:
        """The IR and the id of the commit that the place's ref stands for now."""
        ...


class Linter(Protocol):
    """The stream engine's own check of a compiled flow."""

    def check(self, engine: str) -> Sequence[Problem]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    cluster: Cluster
    board: Board
    settings: Settings
    store: Store
    linter: Linter
    totals: JobTotals
    """What a job's pods ask for."""
    git: Git
    channels: Callable[[str], Sequence[DataChannel]]
    """Environment -> the data channels registered there."""
    scoring_servers: tuple[ScoringServer, ...]
    clock: Callable[[], datetime]

    def now(self) -> str:
        """RFC 3339, UTC, whole seconds: as Kubernetes writes times."""
        return stamp(self.clock())


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
