"""The watch cache: it tells what is there, and heals by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.mirror import Mirror
from scheduler.cluster.port import Cluster, Event, Listing, OwnAccessError
from scheduler.errors import UnavailableError
from scheduler.tekton import slim
from tests.unit.world import World, build

JOB = "j" + "a" * 20


def run(job: str = JOB, namespace: str = "staging", **metadata: object) -> dict[str, Any]:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": job, "namespace": namespace, "labels": {names.JOB_ID: job}, **metadata},
        "spec": {"status": "PipelineRunPending"},
    }


class Troubled:
    """A cluster whose lists and watches fail as a test says."""

    def __init__(self, inner: FakeCluster) -> None:
        self.inner = inner
        self.down = threading.Event()
        self.lists = 0
        self.watches = 0

    def list(self, kind: str, namespace: str = "", **given: Any) -> Listing:
        self.lists += 1
        if self.down.is_set():
            raise UnavailableError("down")
        return self.inner.list(kind, namespace, **given)

    def watch(self, kind: str, namespace: str = "", **given: Any) -> Iterator[Event]:
        self.watches += 1
        if self.down.is_set():
            raise UnavailableError("down")
        for event in self.inner.watch(kind, namespace, **given):
            if self.down.is_set():
                raise UnavailableError("the connection broke")
            yield event


@pytest.fixture
def here() -> World:
    return build()


@pytest.fixture
def cluster(here: World) -> Troubled:
    return Troubled(here.cluster)


@pytest.fixture
def mirror(cluster: Troubled) -> Iterator[Mirror]:
    slims = {"PipelineRun": slim.run}
    made = Mirror(cast("Cluster", cluster), namespaces=["staging"], slims=slims, watch_seconds=0.2)
    yield made
    made.stop()


def started(mirror: Mirror, here: World) -> Mirror:
    mirror.start()
    here.settle(lambda: mirror.is_healthy)
    return mirror


def test_nothing_is_known_before_the_first_list(mirror: Mirror) -> None:
    assert not mirror.is_healthy
    assert not mirror.stamps("staging")


def test_what_was_there_and_what_comes_is_known(mirror: Mirror, here: World) -> None:
    here.cluster.create(run())
    started(mirror, here)
    other = "j" + "b" * 20

    here.cluster.create(run(other))
    here.settle(lambda: other in mirror.stamps("staging"))
    here.cluster.delete("PipelineRun", JOB, "staging")
    here.settle(lambda: JOB not in mirror.stamps("staging"))

    assert list(mirror.stamps("staging")) == [other]
    assert mirror.stamp("staging", JOB) == 0


def test_a_change_gives_a_new_stamp_and_rings(mirror: Mirror, here: World) -> None:
    here.cluster.create(run())
    started(mirror, here)
    rung: list[tuple[str, str]] = []
    leave = mirror.listen(rung.append)
    before = mirror.stamp("staging", JOB)

    here.cluster.set_status("PipelineRun", JOB, "staging", {"startTime": "x"})
    after = mirror.wait_past("staging", JOB, before, timeout_seconds=5)
    leave()
    here.cluster.set_status("PipelineRun", JOB, "staging", {"startTime": "y"})
    mirror.wait_past("staging", JOB, after, timeout_seconds=5)

    assert after > before
    assert rung == [("staging", JOB)]
    assert mirror.wait_past("staging", JOB, mirror.stamp("staging", JOB), timeout_seconds=0.01)


def test_quiet_time_costs_one_list(mirror: Mirror, cluster: Troubled, here: World) -> None:
    here.cluster.create(run())
    started(mirror, here)

    here.settle(lambda: cluster.watches >= 5)

    assert cluster.lists == 1


def test_an_outage_ends_without_a_list_when_nothing_expired(mirror: Mirror, cluster: Troubled, here: World) -> None:
    started(mirror, here)
    cluster.down.set()
    seen = cluster.watches
    here.settle(lambda: cluster.watches >= seen + 2)
    here.cluster.create(run())

    cluster.down.clear()
    here.settle(lambda: JOB in mirror.stamps("staging"))

    assert cluster.lists == 1
    assert mirror.is_healthy


def test_an_expired_version_is_listed_again_and_what_went_meanwhile_is_gone(
    mirror: Mirror, cluster: Troubled, here: World
) -> None:
    here.cluster.create(run())
    started(mirror, here)
    cluster.down.set()
    seen = cluster.watches
    here.settle(lambda: cluster.watches > seen)
    other = "j" + "b" * 20
    here.cluster.create(run(other))
    here.cluster.delete("PipelineRun", JOB, "staging")
    here.cluster.forget_history()

    cluster.down.clear()
    here.settle(lambda: list(mirror.stamps("staging")) == [other])

    assert cluster.lists == 2


def test_silence_is_noticed(mirror: Mirror, here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    started(mirror, here)
    monkeypatch.setattr("scheduler.cluster.reflector.SILENT_SECONDS", 0.0)

    assert not mirror.is_healthy
    (watched,) = mirror.watched()
    assert watched.age_seconds >= 0


@pytest.mark.parametrize(
    "poison",
    [
        {"status": []},
        {"status": {"steps": 5}},
        {"status": {"steps": ["x"]}},
        {"spec": "x"},
        {"metadata": {"annotations": "x"}},
        {"metadata": {"annotations": ["x"]}},
    ],
)
def test_one_poisoned_object_stops_nothing(poison: dict[str, Any]) -> None:
    here = build()
    for kind in ("PipelineRun", "TaskRun", "Pod"):
        bad = {**run(), **poison, "kind": kind}
        bad["metadata"] = {**run()["metadata"], **poison.get("metadata", {})}
        here.cluster.put(bad)
    here.board.mirror.start()
    here.settle(lambda: here.board.mirror.is_healthy)
    other = "j" + "b" * 20

    here.cluster.create(run(other))
    here.settle(lambda: here.board.job("staging", other))
    here.board.job("staging", JOB)
    here.board.mirror.stop()

    assert {job.id for job in here.board.all("staging")} >= {other}


def test_what_is_kept_is_small() -> None:
    big = {
        **run(managedFields=[{"x": "y" * 1000}], annotations={"a": "b" * 1000, names.INPUT: "x"}),
        "status": {"pipelineSpec": {"tasks": ["x" * 1000]}, "conditions": [{"type": "Succeeded"}]},
    }

    kept = slim.run(big)

    assert kept["metadata"]["annotations"] == {names.INPUT: "x"}
    assert kept["status"] == {"conditions": [{"type": "Succeeded"}]}
    assert len(str(kept)) < 500


class Refused(Troubled):
    """A cluster in which one namespace is gone, and our roles with it."""

    gone = ""

    def list(self, kind: str, namespace: str = "", **given: Any) -> Listing:
        self._check(kind, namespace)
        return super().list(kind, namespace, **given)

    def watch(self, kind: str, namespace: str = "", **given: Any) -> Iterator[Event]:
        self._check(kind, namespace)
        yield from super().watch(kind, namespace, **given)

    def _check(self, kind: str, namespace: str) -> None:
        if namespace == self.gone:
            self.watches += 1
            raise OwnAccessError(f"{kind} is forbidden in {namespace}")


@pytest.fixture
def refused(here: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Refused, Mirror]]:
    monkeypatch.setattr("scheduler.cluster.reflector.REFUSED_SECONDS", 0.3)
    monkeypatch.setattr("scheduler.cluster.reflector._LONGEST_REFUSED_PAUSE_SECONDS", 0.5)
    cluster = Refused(here.cluster)
    slims = {"PipelineRun": slim.run}
    made = Mirror(cast("Cluster", cluster), namespaces=["staging", "production"], slims=slims, watch_seconds=0.2)
    yield cluster, started(made, here)
    made.stop()


def test_a_namespace_that_is_gone_empties_itself_and_leaves_the_others_alone(
    refused: tuple[Refused, Mirror], here: World
) -> None:
    cluster, mirror = refused
    other = "j" + "b" * 20
    here.cluster.create(run())
    here.cluster.create(run(other, namespace="production"))
    here.settle(lambda: mirror.stamps("staging") and mirror.stamps("production"))

    cluster.gone = "staging"
    here.settle(lambda: mirror.is_refused("staging") and not mirror.stamps("staging"))

    assert list(mirror.stamps("production")) == [other]
    assert (mirror.knows("staging"), mirror.knows("production"), mirror.is_healthy) == (False, True, True)


def test_a_namespace_that_is_made_again_is_known_again(refused: tuple[Refused, Mirror], here: World) -> None:
    cluster, mirror = refused
    cluster.gone = "staging"
    here.settle(lambda: mirror.is_refused("staging"))
    here.cluster.create(run())

    cluster.gone = ""
    here.settle(lambda: list(mirror.stamps("staging")) == [JOB])

    assert (mirror.knows("staging"), mirror.is_refused("staging")) == (True, False)


def test_being_refused_does_not_spin(refused: tuple[Refused, Mirror], here: World) -> None:
    cluster, mirror = refused
    cluster.gone = "staging"
    here.settle(lambda: mirror.is_refused("staging"))
    time.sleep(0.6)  # the pauses grow to their longest
    before, began = cluster.watches, time.monotonic()
    here.settle(lambda: time.monotonic() - began > 1.5)

    assert cluster.watches - before <= 8 + 1.5 / 0.2, "the other namespace's watches among them"


class Silent(Troubled):
    """A cluster whose open watches stop talking, as over a connection that nobody carries any more."""

    def __init__(self, inner: FakeCluster) -> None:
        super().__init__(inner)
        self.silent = threading.Event()

    def watch(self, kind: str, namespace: str = "", **given: Any) -> Iterator[Event]:
        is_dead = self.silent.is_set()
        deadline = time.monotonic() + given["timeout_seconds"] + 0.1
        for event in super().watch(kind, namespace, **given):
            if is_dead or self.silent.is_set():
                time.sleep(max(deadline - time.monotonic(), 0))
                self.silent.clear()
                raise UnavailableError("silent for longer than the watch was to last")
            yield event


def test_what_happens_in_a_silence_is_known_when_it_is_noticed(here: World) -> None:
    cluster = Silent(here.cluster)
    made = Mirror(cast("Cluster", cluster), namespaces=["staging"], slims={"PipelineRun": slim.run}, watch_seconds=0.4)
    started(made, here)
    cluster.silent.set()
    began = time.monotonic()
    here.cluster.create(run())

    here.settle(lambda: list(made.stamps("staging")) == [JOB])
    made.stop()

    assert time.monotonic() - began < 2
    assert cluster.lists == 1
