"""Jobs whose parts are killed while they score."""

from __future__ import annotations

from typing import cast

import pytest

from scheduler.client.scheduling import JobJson
from tests.e2e.ends import verdict
from tests.e2e.ends.cases import CASES
from tests.e2e.ends.end import End
from tests.e2e.ends.interruptions import SOME
from tests.e2e.ends.running import Running
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def _assert_survived(jobs: Jobs, ended: Running, end: End) -> None:
    """Every record is in the sink, once and in order."""
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe)
    assert [row["id"] for row in jobs.lines(recipe.sink)] == list(range(1, SOME + 1))


@pytest.mark.end("engine-killed-once")
def test_a_flow_whose_engine_was_killed_is_run_again(jobs: Jobs, ended: Running, end: End) -> None:
    _assert_survived(jobs, ended, end)
    assert ended.acted[end.id] == 1


@pytest.mark.end("flow-pod-killed")
def test_a_flow_whose_pod_was_killed_leaves_one_result(jobs: Jobs, ended: Running, end: End) -> None:
    _assert_survived(jobs, ended, end)
    assert 0 < cast("int", ended.acted[end.id]) < SOME


@pytest.mark.end("scoring-pod-killed")
def test_a_scoring_service_whose_pod_was_killed_costs_no_record(jobs: Jobs, ended: Running, end: End) -> None:
    _assert_survived(jobs, ended, end)
    assert 0 < cast("int", ended.acted[end.id]) < SOME


@pytest.mark.end("service-away-for-a-minute")
def test_a_scoring_service_that_is_away_for_a_minute_costs_no_record(jobs: Jobs, ended: Running, end: End) -> None:
    _assert_survived(jobs, ended, end)
    meanwhile = cast("JobJson", ended.acted[end.id])
    assert meanwhile["state"] == "RUNNING"
    assert "scoring service http" in meanwhile["progress"]["message"]


@pytest.mark.end("flow-crashes-again-and-again")
def test_a_flow_that_crashes_again_and_again_ends_the_job(jobs: Jobs, ended: Running, end: End) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe)
    assert ended.acted[end.id] == 3
