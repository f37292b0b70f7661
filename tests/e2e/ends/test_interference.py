"""Hands that reach into the cluster while a job is under way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.e2e.ends import table, verdict
from tests.e2e.ends.cases import CASES
from tests.e2e.ends.end import End
from tests.e2e.ends.running import Running
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DELETED = ("release-deleted", "service-deleted")


@pytest.mark.parametrize("id_", [pytest.param(id_, marks=pytest.mark.end(id_)) for id_ in DELETED])
def test_a_release_that_is_deleted_by_hand_ends_the_job_by_name(jobs: Jobs, ended: Running, end: End, id_: str) -> None:
    job = ended[id_]
    verdict.assert_ended(jobs, job, end, recipe=CASES[id_].recipe, id=job["id"])


@pytest.mark.end("task-pod-evicted", "task-pod-made-again", jobs=("install-pod-deleted",))
def test_a_task_whose_pod_is_taken_away_is_lost_or_made_again(jobs: Jobs, ended: Running) -> None:
    lost, again = table.ENDS["task-pod-evicted"], table.ENDS["task-pod-made-again"]
    evicted = ended["task-pod-evicted"]
    # now and then the node loses how the container ended; then the janitor has the pod made again
    is_lost = evicted["state"] != "SUCCEEDED"
    told = lost if is_lost else replace(again, seconds=lost.seconds)
    verdict.assert_ended(jobs, evicted, told, recipe=CASES["task-pod-evicted"].recipe)
    assert "PodEvicted" in evicted["message"] or not is_lost
    verdict.assert_ended(jobs, ended["task-pod-made-again"], again, recipe=CASES["task-pod-made-again"].recipe)

    deleted = ended["install-pod-deleted"]
    removed = replace(table.ENDS["release-deleted"], words=("of the job's release", "deleted"))
    rows = {"SUCCEEDED": again, "ReleaseDeleted": removed}
    row = rows.get(deleted["state"]) or rows.get(deleted["reason"], lost)
    verdict.assert_ended(jobs, deleted, row, recipe=CASES["install-pod-deleted"].recipe)


@pytest.mark.end("uninstall-pod-deleted")
def test_a_release_is_removed_though_its_uninstall_pod_is_deleted(jobs: Jobs, ended: Running, end: End) -> None:
    job = jobs.until(ended[end.id]["id"], lambda found: found["cleanup"] == "CLEAN", limit_seconds=60)
    verdict.assert_ended(jobs, job, end, recipe=CASES[end.id].recipe)
