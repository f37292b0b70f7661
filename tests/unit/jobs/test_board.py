"""The end of a job is told once, and whole, however far one watch is ahead of another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.mirror import Mirror
from scheduler.cluster.port import Event, Listing
from scheduler.errors import UnavailableError
from scheduler.jobs.board import Board
from scheduler.model.job import Job, JobState, Reason
from scheduler.tekton import slim
from tests.unit.tekton import runs
from tests.unit.tekton.runs import JOB

ENVIRONMENT = "staging"
OTHER = "j" + "b" * 20
TASKS = (
    runs.task("install", "True", outcome=runs.INSTALLED),
    runs.task("wait", "True", outcome=runs.SCORED),
    runs.task("uninstall", "True", outcome=runs.CLEAN),
)


class SlowCluster(FakeCluster):
    """Its watch of task runs has nothing to tell until it is let; its lists are as they are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.is_let = threading.Event()
        self.is_away = False

    def watch(self, kind: str, *args: Any, **given: Any) -> Iterator[Event]:
        if kind == "TaskRun":
            self.is_let.wait(5)
        return super().watch(kind, *args, **given)

    def list(self, kind: str, namespace: str = "", **given: Any) -> Listing:
        if self.is_away:
            raise UnavailableError("the API server is away")
        return super().list(kind, namespace, **given)


@contextmanager
def watched(cluster: SlowCluster) -> Iterator[Board]:
    mirror = Mirror(cluster, namespaces=[ENVIRONMENT], slims=slim.OF_KIND, watch_seconds=0.2)
    mirror.start()
    try:
        until(lambda: mirror.is_healthy)
        yield Board(mirror, cluster=cluster)
    finally:
        cluster.is_let.set()
        mirror.stop()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def end(cluster: SlowCluster) -> None:
    """Tekton ends the run; the board's watches hear of the run alone."""
    for task in TASKS:
        cluster.put(task)
    children = [{"kind": "TaskRun", "name": task["metadata"]["name"]} for task in TASKS]  # type: ignore[index]
    run = runs.run("True", "Succeeded")
    cluster.put({**run, "status": {**run["status"], "childReferences": children}})  # type: ignore[dict-item]


def seen(board: Board) -> Job:
    until(lambda: board.job(ENVIRONMENT, JOB))
    job = board.job(ENVIRONMENT, JOB)
    assert job is not None
    return job


def test_all_jobs_are_those_that_are_there() -> None:
    cluster = SlowCluster()
    cluster.is_let.set()
    other = {**runs.run(), "metadata": {**runs.run()["metadata"], "name": OTHER, "labels": {names.JOB_ID: OTHER}}}  # type: ignore[dict-item]
    with watched(cluster) as board:
        cluster.put(runs.run())
        cluster.put(other)
        until(lambda: {job.id for job in board.all(ENVIRONMENT)} == {JOB, OTHER})
        before = {job.id: job for job in board.all(ENVIRONMENT)}

        cluster.put(runs.run("True", "Succeeded"))
        until(lambda: board.mirror.stamp(ENVIRONMENT, JOB) > board.mirror.stamp(ENVIRONMENT, OTHER))
        after = {job.id: job for job in board.all(ENVIRONMENT)}
        assert after[OTHER] is before[OTHER], "what has not changed is not computed again"
        assert after[JOB] is not before[JOB]

        cluster.delete("PipelineRun", OTHER, ENVIRONMENT)
        until(lambda: OTHER not in board.mirror.stamps(ENVIRONMENT))
        assert [job.id for job in board.all(ENVIRONMENT)] == [JOB]
        assert board.job(ENVIRONMENT, OTHER) is None


def test_an_end_that_only_the_runs_watch_has_told_is_read_whole() -> None:
    cluster = SlowCluster()
    with watched(cluster) as board:
        end(cluster)
        first = seen(board)
        lists = [call for call in cluster.calls if call[0] == "list"]
        assert seen(board) == first
        assert [call for call in cluster.calls if call[0] == "list"] == lists  # once, not for each reader

        cluster.is_let.set()
        until(lambda: len(board.mirror.of_job(ENVIRONMENT, JOB)) == 4)

        assert (first.state, first.reason) == (JobState.SUCCEEDED, Reason.COMPLETED)
        assert first.records is not None
        assert seen(board) == first


def test_a_job_is_not_over_before_its_end_can_be_told() -> None:
    cluster = SlowCluster()
    with watched(cluster) as board:
        cluster.is_away = True
        end(cluster)

        assert seen(board).state == JobState.FINISHING

        cluster.is_away = False
        assert seen(board).state == JobState.SUCCEEDED


@pytest.mark.parametrize("missing", ["wait", "uninstall"])
def test_a_task_run_that_somebody_deleted_is_not_waited_for(missing: str) -> None:
    cluster = SlowCluster()
    cluster.is_let.set()
    with watched(cluster) as board:
        end(cluster)
        until(lambda: len(board.mirror.of_job(ENVIRONMENT, JOB)) == 4)
        cluster.delete("TaskRun", f"{JOB}-{missing}", ENVIRONMENT)
        until(lambda: len(board.mirror.of_job(ENVIRONMENT, JOB)) == 3)

        assert seen(board).state.is_finished
