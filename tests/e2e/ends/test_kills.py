"""Jobs whose parts are killed while they score."""

from __future__ import annotations

import pytest

from tests.e2e.ends import verdict
from tests.e2e.ends.cases import CASES
from tests.e2e.ends.end import End
from tests.e2e.ends.interruptions import SOME
from tests.e2e.ends.running import Running
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.mark.end("engine-killed-once")
def test_a_flow_that_was_killed_is_run_again_and_leaves_one_result(jobs: Jobs, ended: Running, end: End) -> None:
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe)
    assert ended.acted[end.id] == 1
    assert [row["id"] for row in jobs.lines(recipe.sink)] == list(range(1, SOME + 1))


@pytest.mark.end("flow-crashes-again-and-again")
def test_a_flow_that_crashes_again_and_again_ends_the_job(jobs: Jobs, ended: Running, end: End) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe)
    assert ended.acted[end.id] == 3
