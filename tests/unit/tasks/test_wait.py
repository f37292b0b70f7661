"""Task wait against a cluster that changes under its eyes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.port import Event
from scheduler.model.job import Ledger, Progress
from scheduler.release.stop import Stop, StoppedError
from scheduler.tasks import wait, watching
from scheduler.tasks.flow_control import FakeFlowControl
from scheduler.tasks.follower import Order
from scheduler.tasks.wait import Waited

from .releases import FLOW, JOB, NAMESPACE, SERVICE, ended_flow, flow_job, manifest, pod

ORDER = Order(job=JOB, namespace=NAMESPACE, pod="wait-pod", ready_seconds=10, run_seconds=10)


class Running:
    """`wait` in a thread of its own, as its pod would run it."""

    def __init__(self, cluster: FakeCluster, flow: FakeFlowControl) -> None:
        self.stop = Stop()
        self.result: Waited | BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(cluster, flow), daemon=True)
        self._thread.start()

    def _run(self, cluster: FakeCluster, flow: FakeFlowControl) -> None:
        try:
            self.result = wait.run(
                ORDER, cluster=cluster, flow=flow, stop=self.stop, clock=time.monotonic, stamp=lambda: "now"
            )
        except StoppedError as stopped:
            self.result = stopped

    def end(self) -> Waited | BaseException | None:
        self._thread.join(timeout=8)
        return self.result


@pytest.fixture(autouse=True)
def short_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "WATCH_SECONDS", 1.0)


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    metadata = {"name": "wait-pod", "namespace": NAMESPACE, "labels": {names.JOB_ID: JOB}}
    made.put({"kind": "Pod", "metadata": metadata, "spec": {"containers": []}, "status": {"phase": "Running"}})
    run = {"name": JOB, "namespace": NAMESPACE, "labels": {names.JOB_ID: JOB}}
    made.put({"kind": "PipelineRun", "metadata": run, "spec": {}})
    made.put(flow_job())
    made.put(pod(f"{FLOW}-0", podIP="10.0.0.1"))
    return made


@pytest.fixture
def flow() -> FakeFlowControl:
    return FakeFlowControl(answers={"10.0.0.1": Progress(phase="running", ledger=Ledger(read=1, written=1), total=2)})


@pytest.fixture
def running(cluster: FakeCluster, flow: FakeFlowControl) -> Iterator[Running]:
    made = Running(cluster, flow)
    yield made
    made.stop.ask()
    made.end()


def eventually(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def progress(cluster: FakeCluster) -> dict[str, Any]:
    annotations = cluster.get("Pod", "wait-pod", NAMESPACE)["metadata"].get("annotations", {})
    found: dict[str, Any] = json.loads(annotations.get(names.PROGRESS, "{}"))
    return found


def complete(cluster: FakeCluster) -> None:
    cluster.put(ended_flow(f"{FLOW}-0", message={"ledger": {"read": 2, "written": 2}, "total": 2}))
    cluster.put(flow_job("Complete"))


def test_progress_stands_on_the_tasks_own_pod(cluster: FakeCluster, running: Running) -> None:
    eventually(lambda: progress(cluster).get("phase") == "running")

    assert progress(cluster)["ledger"]["written"] == 1
    assert progress(cluster)["total"] == 2
    assert progress(cluster)["updated"] == "now"


def test_the_end_of_the_flow_is_seen_at_once_and_told(cluster: FakeCluster, running: Running) -> None:
    eventually(lambda: progress(cluster).get("phase") == "running")
    began = time.monotonic()
    complete(cluster)

    ended = running.end()

    assert time.monotonic() - began < 1
    assert isinstance(ended, Waited)
    fields = ended.fields()
    assert {key: fields[key] for key in ("outcome", "reason", "message", "total")} == {
        "outcome": "Succeeded",
        "reason": "Completed",
        "message": "",
        "total": 2,
    }
    assert progress(cluster)["phase"] == "finished"
    assert progress(cluster)["ledger"]["written"] == 2


def test_nobody_asks_the_services_after_a_success_so_they_go_at_once(
    cluster: FakeCluster, flow: FakeFlowControl
) -> None:
    cluster.put(manifest("Deployment", SERVICE))
    cluster.put({**manifest("Deployment", "other"), "metadata": {"name": "other", "namespace": NAMESPACE}})
    running = Running(cluster, flow)
    eventually(lambda: ("watch", "Deployment") in cluster.calls)  # it has seen them, however busy the machine is
    eventually(lambda: progress(cluster).get("phase") == "running")
    complete(cluster)

    assert isinstance(running.end(), Waited)
    assert [item["metadata"]["name"] for item in cluster.list("Deployment", NAMESPACE)] == ["other"]
    assert cluster.get("Job", FLOW, NAMESPACE), "the counts stand in its pods"


def test_services_go_as_well_where_the_end_is_seen_in_the_job_alone(
    cluster: FakeCluster, flow: FakeFlowControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put(manifest("Deployment", SERVICE))
    watch = cluster.watch

    def behind(kind: str, *place: Any, **more: Any) -> Iterator[Event]:
        if kind == "Pod":
            time.sleep(3)  # longer than the rest of this test takes
        return watch(kind, *place, **more)

    monkeypatch.setattr(cluster, "watch", behind)
    running = Running(cluster, flow)
    eventually(lambda: progress(cluster).get("phase") == "running" and ("watch", "Deployment") in cluster.calls)
    complete(cluster)

    assert isinstance(running.end(), Waited)
    assert not cluster.list("Deployment", NAMESPACE).items


def test_the_services_stay_after_a_failure_for_whoever_looks(cluster: FakeCluster, running: Running) -> None:
    cluster.put(manifest("Deployment", SERVICE))
    eventually(lambda: progress(cluster).get("phase") == "running")
    cluster.put(ended_flow(f"{FLOW}-0", code=10, message={"reason": "SourceMissing", "message": "no such file"}))
    cluster.put(flow_job("Failed"))

    assert isinstance(running.end(), Waited)
    assert cluster.get("Deployment", SERVICE, NAMESPACE)


def test_a_failure_carries_its_diagnosis(cluster: FakeCluster, running: Running) -> None:
    cluster.put(ended_flow(f"{FLOW}-0", code=10, message={"reason": "SourceMissing", "message": "no such file"}))
    cluster.put(flow_job("Failed"))

    ended = running.end()

    assert isinstance(ended, Waited)
    fields = ended.fields()
    assert (fields["outcome"], fields["reason"], fields["message"]) == ("Failed", "SourceMissing", "no such file")
    assert fields["diagnosis"] == {
        "category": "data",
        "summary": "The source file is not there.",
        "detail": "no such file",
        "resolution": "Check the source channel's volume and path.",
    }


def test_a_drain_on_the_run_reaches_the_flow(cluster: FakeCluster, flow: FakeFlowControl, running: Running) -> None:
    eventually(lambda: progress(cluster).get("phase") == "running")
    note = {"metadata": {"annotations": {names.DRAIN: '{"by": "ann"}'}}}
    cluster.patch("PipelineRun", JOB, NAMESPACE, note)

    eventually(lambda: flow.asked == [("10.0.0.1", "drain")])


def test_sigterm_ends_it_without_an_outcome(running: Running) -> None:
    running.stop.ask()

    assert isinstance(running.end(), StoppedError)


def test_a_pod_that_may_not_be_patched_stops_nothing(cluster: FakeCluster, running: Running) -> None:
    cluster.delete("Pod", "wait-pod", NAMESPACE)
    complete(cluster)

    assert isinstance(running.end(), Waited)


def test_why_a_job_has_no_pod_is_read_from_its_events(cluster: FakeCluster, flow: FakeFlowControl) -> None:
    cluster.delete("Pod", f"{FLOW}-0", NAMESPACE)
    for name, about in (("other", "another-job"), ("ours", FLOW)):
        cluster.put(
            {
                "kind": "Event",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "type": "Warning",
                "involvedObject": {"kind": "Job", "name": about},
                "message": f"about {name}",
            }
        )
    stop = Stop()
    with watching.Watching(cluster, namespace=NAMESPACE, job=JOB, bell=stop.bell, watch_seconds=1) as watched:
        eventually(lambda: watched.now().job_warnings == ("about ours",))
