"""One job's release in a cluster in memory, and the janitor that looks at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scheduler.cluster.fake import FakeCluster
from scheduler.jobs import reading
from scheduler.jobs.clean import Cleaned
from scheduler.jobs.janitor import Janitor
from scheduler.jobs.ports import Ports, Runner
from scheduler.model.job import Job
from scheduler.release import remains
from scheduler.settings import JanitorSettings
from tests.unit import world
from tests.unit.tasks.releases import JOB, LABELS, SERVICE, VALUES, HelmOnCluster
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT, World

ENABLED = JanitorSettings(is_enabled=True)
FINISHED_BADLY = {"cleanup": "LEAKED", "leftovers": [f"Service/{SERVICE}"], "message": "1 object left"}


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    world: World
    ports: Ports
    helm: HelmOnCluster
    clock: Clock
    janitor: Janitor

    @property
    def cluster(self) -> FakeCluster:
        return self.world.cluster

    def round(self) -> list[Cleaned]:
        self.world.settle(lambda: self.world.board.mirror.is_healthy)
        return list(self.janitor.round())

    def has_run(self, *tasks: dict[str, object], **given: Any) -> None:
        """A run and task runs that the watches have told of."""
        self.cluster.put(runs.run(**given))
        for task in tasks:
            self.cluster.put(task)
        self.world.settle(lambda: self.world.board.job(ENVIRONMENT, JOB))
        self.world.settle(lambda: len(self.world.board.mirror.of_job(ENVIRONMENT, JOB)) == 1 + len(tasks))

    def job(self) -> Job:
        return reading.fresh(self.cluster.get("PipelineRun", JOB, ENVIRONMENT), cluster=self.cluster)

    def left(self) -> list[str]:
        found = remains.find(JOB, namespace=ENVIRONMENT, cluster=self.cluster)
        return [remains.named(item) for item in found]


def made(tmp_path: Path, *, settings: JanitorSettings = ENABLED, cluster: FakeCluster | None = None) -> Scene:
    here = world.build()
    helm = HelmOnCluster(here.cluster)
    (tmp_path / "Chart.yaml").touch()
    helm.install(JOB, chart=tmp_path, values=VALUES, namespace=ENVIRONMENT, labels=LABELS)
    runner = Runner(cluster=cluster or here.cluster, helm=helm)
    ports = replace(here.ports, runner=lambda _: runner, settings=replace(here.ports.settings, janitor=settings))
    clock = Clock()
    return Scene(world=here, ports=ports, helm=helm, clock=clock, janitor=Janitor(ports, holder="one", clock=clock))


def leaked(scene: Scene) -> None:
    scene.has_run(
        runs.task("install", "True", "Succeeded", outcome=runs.INSTALLED),
        runs.task("wait", "True", "Succeeded", outcome=runs.SCORED),
        runs.task("uninstall", "False", "Failed", outcome=FINISHED_BADLY),
        status="False",
        reason="Failed",
    )
