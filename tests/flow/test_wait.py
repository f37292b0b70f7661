"""Task `wait` and flow runners as programs of their own, joined by the control port; only the cluster is a fake."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import Batch, ScoreStep
from scheduler.release.stop import Stop
from scheduler.tasks import wait
from scheduler.tasks.flow_control import HttpFlowControl
from scheduler.tasks.follower import Order
from scheduler.tasks.wait import Waited
from tests.flow.conftest import free_port
from tests.unit.tasks.releases import FLOW, JOB, NAMESPACE, ended_flow, flow_job, pod

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

ORDER = Order(job=JOB, namespace=NAMESPACE, pod="wait-pod", ready_seconds=60, run_seconds=0)
SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="p", batch=Batch(count=64, period_milliseconds=20))
ROWS = "".join(f"{i},{i / 7},n{i}\n" for i in range(100))


class Waiting:
    """`wait` in a thread of its own, with the control port of flows on `port`."""

    def __init__(self, port: int) -> None:
        self.cluster = FakeCluster()
        metadata = {"name": "wait-pod", "namespace": NAMESPACE, "labels": {names.JOB_ID: JOB}}
        self.cluster.put({"kind": "Pod", "metadata": metadata, "spec": {"containers": []}})
        run = {"name": JOB, "namespace": NAMESPACE, "labels": {names.JOB_ID: JOB}}
        self.cluster.put({"kind": "PipelineRun", "metadata": run, "spec": {}})
        self.cluster.put(flow_job())
        self.stop = Stop()
        self.ended: list[Waited] = []
        self._port = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.ended.append(
            wait.run(
                ORDER,
                cluster=self.cluster,
                flow=HttpFlowControl(port=self._port),
                stop=self.stop,
                clock=time.monotonic,
                stamp=lambda: "now",
            )
        )

    def progress(self) -> dict[str, Any]:
        """As the server reads it."""
        notes = self.cluster.get("Pod", "wait-pod", NAMESPACE)["metadata"].get("annotations", {})
        found: dict[str, Any] = json.loads(notes.get(names.PROGRESS, '{"phase": "", "ledger": {"written": 0}}'))
        return found

    def until(self, is_so: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + 30
        while not is_so(self.progress()):
            assert time.monotonic() < deadline, self.progress()
            time.sleep(0.02)

    def end(self) -> Waited:
        self._thread.join(30)
        assert self.ended, self.progress()
        return self.ended[0]


def test_a_drain_noted_on_the_run_ends_the_flow_even_if_its_pod_is_killed_meanwhile(make: Any, service: Any) -> None:
    source = {"path": "in.csv", "format": "csv", "follow": True}
    flow = make(SCORE, url=service.url, source=source)
    flow.write("id,x,name\n" + ROWS)
    port = free_port()
    waiting = Waiting(port)
    first = flow.start("uid-1", control_port=port)
    second = None
    try:
        waiting.cluster.put(pod(f"{FLOW}-0", podIP="127.0.0.1"))
        waiting.until(lambda progress: progress["ledger"]["written"] == 100)
        assert progress_total(waiting) is None
        service.statuses = [503] * 100_000  # so that the drain cannot come to its end
        with flow.path("in.csv").open("a") as file:
            file.write("100,1,late\n")
        note = json.dumps({"by": "ann", "at": "now"})
        waiting.cluster.patch("PipelineRun", JOB, NAMESPACE, {"metadata": {"annotations": {names.DRAIN: note}}})
        waiting.until(lambda progress: progress["phase"] == "draining")

        first.kill()
        first.wait(10)
        service.statuses = []
        waiting.cluster.delete("Pod", f"{FLOW}-0", NAMESPACE)
        second = flow.start("uid-2", control_port=port)
        waiting.cluster.put(pod(f"{FLOW}-1", podIP="127.0.0.2"))
        assert second.wait(30) == 0
    finally:
        for program in (first, second):
            if program is not None and program.poll() is None:
                program.kill()
                program.wait(10)
    said = json.loads(flow.path("uid-2.json").read_text())
    waiting.cluster.put(ended_flow(f"{FLOW}-1", message=said))
    waiting.cluster.put(flow_job("Complete"))

    ended = waiting.end().ended

    assert (ended.is_success, ended.reason, ended.total) == (True, Reason.DRAINED, 101)
    assert ended.ledger == Ledger(read=101, written=101)
    assert [record["id"] for record in flow.records()] == list(range(101))
    assert flow.published() == {"out.jsonl", "dead.jsonl"}


def progress_total(waiting: Waiting) -> int | None:
    total: int | None = waiting.progress()["total"]
    return total
