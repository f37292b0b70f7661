"""Drains that meet a change of the job: what is decided holds for the job as it is when it is noted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.errors import ConflictError, UnavailableError
from scheduler.jobs import cancel
from scheduler.model.job import Job, JobState
from tests.unit.tekton import runs

SCORING = [
    runs.task("install", "True", outcome=runs.INSTALLED),
    runs.task("wait"),
    runs.wait_pod({"phase": "running"}),
]


class Changing:
    """A cluster in which something happens just before each patch."""

    def __init__(self, inner: FakeCluster, happens: Callable[[FakeCluster], object]) -> None:
        self._inner = inner
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def patch(self, *given: Any, **more: Any) -> Any:
        self._happens(self._inner)
        return self._inner.patch(*given, **more)


def cluster(*, status: str = "", objects: list[Any] | None = None) -> FakeCluster:
    made = FakeCluster()
    made.put(runs.run(spec_status=status))
    for one in objects or []:
        made.put(one)
    return made


def drain(given: Any) -> Job:
    return cancel.drain(runs.JOB, "staging", by="ann", at="2026-01-01T10:05:00Z", cluster=given)


def noted(given: FakeCluster) -> dict[str, Any]:
    found: dict[str, Any] = given.get("PipelineRun", runs.JOB, "staging")["metadata"]["annotations"]
    return found


def test_a_job_that_begins_to_score_meanwhile_is_drained_and_not_cancelled() -> None:
    given = cluster()

    def begin(inner: FakeCluster) -> None:
        for one in SCORING:
            inner.put(one)
        inner.patch("PipelineRun", runs.JOB, "staging", {"metadata": {"labels": {"changed": "yes"}}})

    job = drain(Changing(given, once(begin)))

    assert job.state == JobState.DRAINING
    assert json.loads(noted(given)[names.DRAIN]) == {"by": "ann", "at": "2026-01-01T10:05:00Z"}
    assert names.CANCELLED_BY not in noted(given)


def test_a_pending_job_that_is_started_meanwhile_is_torn_down() -> None:
    given = cluster(status="PipelineRunPending")

    def start(inner: FakeCluster) -> None:
        inner.patch("PipelineRun", runs.JOB, "staging", {"spec": {"status": None}})

    assert drain(Changing(given, once(start))).state == JobState.CANCELLING
    assert given.get("PipelineRun", runs.JOB, "staging")["spec"]["status"] == "CancelledRunFinally"


def test_a_job_that_ends_meanwhile_is_left_alone() -> None:
    given = cluster(objects=SCORING)

    def end(inner: FakeCluster) -> None:
        inner.put(runs.task("wait", "True", outcome=runs.SCORED))
        inner.patch("PipelineRun", runs.JOB, "staging", {"metadata": {"labels": {"changed": "yes"}}})

    with pytest.raises(ConflictError, match="is FINISHING: its scoring is over, there is nothing to drain"):
        drain(Changing(given, once(end)))
    assert names.DRAIN not in noted(given)


def test_a_second_drain_is_answered_even_when_the_scoring_is_over() -> None:
    given = cluster(objects=SCORING)
    drain(given)
    given.put(runs.task("wait", "True", outcome={**runs.SCORED, "reason": "Drained"}))
    assert drain(given).state == JobState.FINISHING


def test_a_job_that_never_holds_still_is_tried_again_later() -> None:
    def change(inner: FakeCluster) -> None:
        version = inner.get("PipelineRun", runs.JOB, "staging")["metadata"]["resourceVersion"]
        inner.patch("PipelineRun", runs.JOB, "staging", {"metadata": {"labels": {"changed": version}}})

    with pytest.raises(UnavailableError, match="changes faster than it can be drained"):
        drain(Changing(cluster(objects=SCORING), change))


def once(happens: Callable[[FakeCluster], object]) -> Callable[[FakeCluster], object]:
    left = [happens]
    return lambda inner: left.pop()(inner) if left else None
