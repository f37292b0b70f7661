"""Jobs whose task pods are taken away, one by one or side by side, and what must hold when they are over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from scheduler.client.scheduling import JobJson
from scheduler.cluster.port import Cluster
from scheduler.demo import check
from scheduler.model.job import JobState, Reason
from tests.e2e import pod_kills, recipes, support
from tests.e2e.pod_kills import Kill
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

ROWS: Final = 10
GONE_SECONDS: Final = 150
"""From a job's end until the janitor has removed what its uninstall task could not."""
_ENDS: Final = {
    "install": {
        (JobState.SUCCEEDED, Reason.COMPLETED, ""),  # Tekton ran it again
        (JobState.FAILED, Reason.TASK_POD_LOST, "install"),
    },
    "uninstall": {
        (JobState.SUCCEEDED, Reason.COMPLETED, ""),
        (JobState.SUCCEEDED, Reason.LEAKED, "uninstall"),  # until the janitor comes
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    kill: Kill
    job: JobJson
    """As it was when its run was over."""
    is_hit: bool
    """False: the pod was through when the moment came."""
    seconds_to_nothing: float
    """From the job's end until nothing of it was left."""
    wrong: tuple[str, ...]

    @property
    def end(self) -> str:
        return f"{self.job['state']}({self.job['reason']}), {self.job['cleanup']}"


def run(kills: Sequence[Kill], *, jobs: Jobs, cluster: Cluster) -> list[Trial]:
    """One job for each kill, some of them at once."""
    with ThreadPoolExecutor(support.AT_ONCE) as threads:
        return list(threads.map(lambda item: _one(*item, jobs=jobs, cluster=cluster), enumerate(kills)))


def _one(number: int, kill: Kill, *, jobs: Jobs, cluster: Cluster) -> Trial:
    recipe = Recipe(name=f"pods-{kill.task}-{number}")
    jobs.give(recipe, recipe.source_of(recipes.rows(ROWS)))
    job_id = jobs.start(recipe)["id"]
    is_hit = pod_kills.strike(kill, job_id, cluster=cluster, platform=jobs.platform)
    job = jobs.finish(job_id, limit_seconds=600)
    over = time.monotonic()
    left = _left(job, jobs)
    return Trial(
        kill=kill,
        job=job,
        is_hit=is_hit,
        seconds_to_nothing=time.monotonic() - over,
        wrong=tuple(_wrong(kill, recipe, job, left, jobs=jobs, cluster=cluster)),
    )


def _left(job: JobJson, jobs: Jobs) -> list[str]:
    """What is there of the release: at once after a clean end; otherwise when the janitor had its time."""
    deadline = time.monotonic() + (0 if job["cleanup"] == "CLEAN" else GONE_SECONDS)
    while (left := check.leftovers(jobs.platform, job["id"])) and time.monotonic() < deadline:
        time.sleep(2)
    return left


def _wrong(kill: Kill, recipe: Recipe, job: JobJson, left: list[str], *, jobs: Jobs, cluster: Cluster) -> Iterator[str]:
    end = (JobState(job["state"]), Reason(job["reason"]), job["task"])
    if end not in _ENDS[kill.task]:
        yield f"{kill}: {support.shown(job)}"
    if left:
        yield f"{kill}: {job['id']}, {job['cleanup']}, has left {left}"
    if unfinished := pod_kills.unfinished_releases(job["id"], cluster=cluster):
        yield f"{kill}: the release of {job['id']} stays {unfinished}"
    is_right = job["state"] != "SUCCEEDED" or len(jobs.lines(recipe.sink)) == ROWS
    if not is_right or (job["state"] == "FAILED" and jobs.published(recipe)):
        yield f"{kill}: {job['id']}, {job['state']}, has published {jobs.published(recipe)}"
