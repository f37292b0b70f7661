"""Progress of several flow runners, and when it is written."""

from __future__ import annotations

import json

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.model.job import Ledger, Progress
from scheduler.tasks.progress import Notice, joined


def test_the_slowest_flow_gives_the_phase_and_counts_are_summed() -> None:
    one = Progress(phase="running", ledger=Ledger(read=5, written=4, filtered=1), records_per_second=10.04, total=8)
    other = Progress(phase="starting", ledger=Ledger(), total=4, message="waiting for model 'delay'")

    assert joined([one, other]) == Progress(
        phase="starting",
        ledger=Ledger(read=5, written=4, filtered=1),
        records_per_second=10.0,
        total=12,
        message="waiting for model 'delay'",
    )


def test_a_total_is_known_when_all_know_theirs() -> None:
    found = joined([Progress(phase="running", total=1), Progress(phase="running", total=None)])

    assert found is not None
    assert found.total is None


def test_a_phase_of_another_version_counts_as_starting() -> None:
    found = joined([Progress(phase="dreaming")])

    assert found is not None
    assert found.phase == "starting"


def test_no_answer_is_no_progress() -> None:
    assert joined([]) is None


def test_a_new_phase_is_written_at_once_and_counts_now_and_then() -> None:
    cluster = FakeCluster()
    cluster.put({"kind": "Pod", "metadata": {"name": "w", "namespace": "n"}, "spec": {"containers": []}})
    notice = Notice(cluster=cluster, namespace="n", pod="w")
    running = Progress(phase="running", total=1)
    counted = Progress(phase="running", total=2)

    def written(progress: Progress, now: float) -> object:
        notice.write(progress, now=now, stamp=f"at {now:g}")
        annotation = cluster.get("Pod", "w", "n")["metadata"]["annotations"][names.PROGRESS]
        return json.loads(annotation)["updated"]

    assert written(Progress(phase="starting"), 0) == "at 0"
    assert written(running, 0.1) == "at 0.1"
    assert written(counted, 1) == "at 0.1"
    assert written(counted, 3) == "at 3"
    assert written(counted, 9) == "at 3"
    assert written(Progress(phase="finished"), 9.1) == "at 9.1"
