"""What the use cases need of the world, handed to them as one value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.artifacts.revisions import Revision
from scheduler.cluster.port import Cluster
from scheduler.helm.port import Helm
from scheduler.ir.load import Loaded
from scheduler.jobs import scoring_servers
from scheduler.jobs.board import Board
from scheduler.jobs.order import GitPlace
from scheduler.jobs.totals import JobTotals
from scheduler.lint.port import Lint
from scheduler.model.pipeline import DataChannel
from scheduler.preprocess.services import ScoringServer
from scheduler.settings import Settings


class Store(Protocol):
    """Pipelines and models on the modelops server."""

    def revision(self, pipeline: str, number: int | None = None) -> Revision:
        """That revision, or the newest; NotFoundError without it."""
        ...

    def grant(self, sha256: str, environment: str) -> None:
        """Let pods of the environment download a model; NotFoundError when the store does not have it."""
        ...


class Git(Protocol):
    """The git server."""

    def load(self, place: GitPlace, *, model_types: Collection[str] | None) -> tuple[Loaded, str]:
        """The IR, its models of these types, and the id of the commit that the place's ref stands for now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """An environment's runner account at work from outside of it: what the server itself may not touch."""

    cluster: Cluster
    helm: Helm


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    cluster: Cluster
    board: Board
    settings: Settings
    store: Store
    linter: Lint
    totals: JobTotals
    """What a job's pods ask for."""
    git: Git
    channels: Callable[[str, Collection[str] | None], Sequence[DataChannel]]
    """Environment and names -> those of the data channels that are registered there; without names all."""
    scoring_servers: tuple[ScoringServer, ...]
    clock: Callable[[], datetime]
    runner: Callable[[str], Runner]
    """Environment -> its runner account. For removing releases, and for nothing else."""

    @property
    def model_types(self) -> tuple[str, ...]:
        """Those that there are scoring servers for."""
        return scoring_servers.model_types(self.scoring_servers)

    def known(self) -> tuple[str, ...]:
        """The environments of which the watches have told; one that is gone is no reason to neglect the others."""
        return tuple(name for name in self.settings.environments if self.board.mirror.knows(name))

    def now(self) -> str:
        """RFC 3339, UTC, whole seconds: as Kubernetes writes times."""
        return stamp(self.clock())


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
