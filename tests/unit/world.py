"""A scheduling server on fakes: one imaginary cluster with two environments, a modelops server, git, helm and lint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from scheduler import assets, names
from scheduler.artifacts.revisions import Revision
from scheduler.channels import registry
from scheduler.cluster.fake import FakeCluster, Rule
from scheduler.cluster.mirror import Mirror
from scheduler.cluster.port import Caller, Cluster
from scheduler.errors import NotFoundError
from scheduler.helm.fake import FakeHelm
from scheduler.ir import load
from scheduler.ir.load import Loaded
from scheduler.jobs.board import Board
from scheduler.jobs.order import GitPlace, Order
from scheduler.jobs.ports import Ports, Runner
from scheduler.jobs.totals import JobTotals
from scheduler.lint.fake import FakeLint
from scheduler.model.types import Document, Manifest, Values
from scheduler.preprocess.services import ScoringServer
from scheduler.settings import Globals, Settings
from scheduler.tekton import slim

ENVIRONMENT = "staging"
OTHER = "production"
COMMIT = "c" * 40
SERVERS = (
    ScoringServer(chart="scoring-server-pmml", types=("pmml",)),
    ScoringServer(chart="scoring-server-python", types=("python-script", "python-binary")),
)
SETTINGS = Settings(
    environments=(ENVIRONMENT, OTHER),
    platform_namespace="platform",
    platform="modelops.one",
    task_image="registry.example/scheduling-server@sha256:" + "1" * 64,
    task_priority_class="modelops-task",
    images={
        name: f"registry.example/{name}@sha256:" + "2" * 64
        for name in ("streaming-runtime", "scoring-server-python", "scoring-server-pmml")
    },
    globals_=Globals(artifact_store_url="http://store.example:8080"),
    modelops_server_url="http://store.example:8080",
)
_EXAMPLES = Path(__file__).parents[2] / "ir-schemas" / "examples" / "valid"
LOADED: Loaded = load.from_folder(_EXAMPLES / "own-channels", fill_digests=True)
"""A pipeline with channels of its own, so that it runs in an environment without any."""
MODELS = tuple((_EXAMPLES / "own-channels" / "models").iterdir())
"""The files of its artifacts."""
DOCUMENTS: tuple[Document, ...] = LOADED.documents
PIPELINE = LOADED.pipeline.name


@dataclass
class FakeStore:
    """A modelops server with the revisions and artifacts that a test gives it."""

    revisions: dict[tuple[str, int], Revision] = field(default_factory=dict)
    artifacts: set[str] = field(default_factory=set)
    grants: set[tuple[str, str]] = field(default_factory=set)

    def revision(self, pipeline: str, number: int | None = None) -> Revision:
        numbers = [of for name, of in self.revisions if name == pipeline]
        wanted = number or max(numbers, default=0)
        if (pipeline, wanted) not in self.revisions:
            raise NotFoundError(f"there is no pipeline '{pipeline}' with revision {number or 'latest'}")
        return self.revisions[pipeline, wanted]

    def grant(self, sha256: str, environment: str) -> None:
        if sha256 not in self.artifacts:
            raise NotFoundError(f"there is no artifact {sha256}")
        self.grants.add((sha256, environment))


@dataclass
class FakeGit:
    places: Mapping[GitPlace, Loaded] = field(default_factory=dict)

    def load(self, place: GitPlace, *, model_types: Collection[str] | None) -> tuple[Loaded, str]:
        if place not in self.places:
            raise NotFoundError(f"repository '{place.path}' has no ref '{place.ref}'")
        return self.places[place], COMMIT


@dataclass
class World:
    """Everything a test may look at or turn."""

    cluster: FakeCluster
    store: FakeStore
    helm: FakeHelm
    lint: FakeLint
    ports: Ports

    @property
    def board(self) -> Board:
        return self.ports.board

    def on(self, cluster: Cluster) -> Ports:
        """The same ports, with another way to the cluster."""
        return replace(self.ports, cluster=cluster, channels=partial(registry.channels, cluster))

    def settle(self, condition: Callable[[], object], *, seconds: float = 5.0) -> None:
        """Wait until the watches have told of what the condition asks for."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("the watches have not told of it")
            time.sleep(0.005)

    def runs(self, environment: str = ENVIRONMENT) -> list[Manifest]:
        return list(self.cluster.list("PipelineRun", environment))


def order(**changes: object) -> Order:
    return replace(Order(environment=ENVIRONMENT, pipeline=PIPELINE, parameters={"day": "2026-01-31"}), **changes)  # type: ignore[arg-type]


def rendered(release: str, values: Values, namespace: str) -> list[Manifest]:
    """What the real chart would make, as far as quotas are concerned: one pod of half a CPU for each model and flow."""
    count = 1 + sum(len(part.get("models", ())) for part in values.values() if isinstance(part, dict))
    resources = {"requests": {"cpu": "500m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}
    spec = {"containers": [{"name": "a", "resources": resources}]}
    return [
        {"kind": "Pod", "metadata": {"name": f"{release}-{number}", "namespace": namespace}, "spec": spec}
        for number in range(count)
    ]


def build(*, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> World:
    """A world with the pipeline deployed as revision 1, its model stored, and nobody allowed anything."""
    cluster = FakeCluster()
    for namespace in SETTINGS.environments:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    store = FakeStore(artifacts={model.sha256 for model in LOADED.pipeline.models})
    store.revisions[PIPELINE, 1] = Revision(
        pipeline=PIPELINE, revision=1, digest=LOADED.digest, created_at="", created_by="", documents=DOCUMENTS
    )
    helm, lint = FakeHelm(render=rendered), FakeLint()
    mirror = Mirror(cluster, namespaces=SETTINGS.environments, slims=slim.OF_KIND, watch_seconds=0.5)
    ports = Ports(
        cluster=cluster,
        board=Board(mirror, cluster=cluster),
        settings=SETTINGS,
        store=store,
        linter=lint,
        totals=JobTotals(helm, chart=assets.subchart("scoring-pipeline")),
        git=FakeGit(places={GitPlace(path="team/meters.git", ref="main"): LOADED}),
        channels=partial(registry.channels, cluster),
        scoring_servers=SERVERS,
        clock=clock,
        runner=lambda _: Runner(cluster=cluster, helm=helm),
    )
    return World(cluster=cluster, store=store, helm=helm, lint=lint, ports=ports)


def allow(
    cluster: FakeCluster, name: str, *rules: Rule, token: str = "", extra: Mapping[str, tuple[str, ...]] | None = None
) -> str:
    """A token of audience `modelops` for somebody who may do what the rules say."""
    caller = Caller(name=name, uid=f"uid-{name}", groups=("system:authenticated",), extra=extra or {})
    token = token or f"token-of-{name}"
    cluster.tokens[token] = (caller, (names.AUDIENCE,))
    cluster.rules.update(rules)
    return token


def channel_documents(name: str = "flights") -> list[Document]:
    return [
        {
            "apiVersion": "modelops/v1",
            "kind": "DataChannel",
            "metadata": {"name": name},
            "spec": {
                "direction": "source",
                "type": "file",
                "schema": "flight",
                "config": {"volume": "data", "path": "flights.csv", "format": "csv"},
            },
        },
        {
            "apiVersion": "modelops/v1",
            "kind": "RecordSchema",
            "metadata": {"name": "flight"},
            "spec": {"properties": {"carrier": {"type": "string"}}, "required": ["carrier"]},
        },
    ]


def in_threads(count: int, act: Callable[[int], object]) -> None:
    """Do it `count` times at once; whatever one of them raises is raised."""
    faults: list[BaseException] = []
    ready = threading.Barrier(count)

    def run(number: int) -> None:
        ready.wait(10)
        try:
            act(number)
        except BaseException as error:  # noqa: BLE001 - handed on to the test
            faults.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if faults:
        raise faults[0]
