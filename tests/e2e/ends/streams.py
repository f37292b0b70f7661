"""What is done to streams, and to jobs that are drained, while they live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.client.scheduling import JobJson
from scheduler.demo.installation import ENVIRONMENT
from tests.e2e import recipes, support
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

FIRST: Final = 300
LATER: Final = 310
LIVE_RECORDS: Final = 330
ONE_BY_ONE: Final = {**recipes.SCORE, "score": {**recipes.SCORE["score"], "batch": {"count": 1, "period": "50ms"}}}

LIVE: Final = Recipe(name="live", is_followed=True)
ROTATED: Final = Recipe(name="rotated", is_followed=True)
IMPATIENT: Final = Recipe(name="impatient", is_followed=True, steps=(ONE_BY_ONE,), artifact=recipes.SLEEP)
"""Scores a record a second: to drain it takes minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What was seen of a stream on its way."""

    trickled: JobJson
    """When the records that came one after the other were scored."""
    restarted: JobJson
    """When the flow that took the place of the deleted one had scored everything again."""
    drained: JobJson
    """The answer to the drain."""
    unpublished: set[str]
    """Its files on the volume before it was drained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Two:
    """What the job was at two moments, one after the other."""

    first: JobJson
    second: JobJson


def beginning(recipe: Recipe) -> bytes:
    return recipe.source_of(recipes.rows(FIRST))


def _lines(first: int, last: int) -> bytes:
    """The CSV lines of the records behind the first ones, up to the last."""
    text = LIVE.source_of(recipes.rows(last))
    return b"".join(line + b"\n" for line in text.splitlines()[first + 1 :])


def _until_written(jobs: Jobs, job: str, count: int) -> JobJson:
    return jobs.until(job, lambda shown: support.ledger(shown).get("written") == count)


def live(jobs: Jobs, job: str) -> Live:
    """Let the source grow, in whole and in half lines; delete the flow's pod; drain the job with half a line left."""
    _until_written(jobs, job, FIRST)
    for number in range(FIRST, LATER):
        line = _lines(number, number + 1)
        jobs.files.append(LIVE.source, line[:2])
        jobs.files.append(LIVE.source, line[2:])
    trickled = _until_written(jobs, job, LATER)
    pods = ("-n", ENVIRONMENT, "-l", f"{names.RELEASE}={job},{names.COMPONENT}=flow")
    jobs.platform.kubectl("delete", "pod", *pods, "--grace-period=0", "--force")
    jobs.files.append(LIVE.source, _lines(LATER, LIVE_RECORDS))
    restarted = _until_written(jobs, job, LIVE_RECORDS)
    unpublished = jobs.published(LIVE)
    jobs.files.append(LIVE.source, b"331,1")
    drained = drain(jobs, job)
    return Live(trickled=trickled, restarted=restarted, drained=drained, unpublished=unpublished)


def drain(jobs: Jobs, job: str) -> JobJson:
    return jobs.client.cancel(job, mode="drain")


def drain_twice(jobs: Jobs, job: str) -> Two:
    jobs.until(job, lambda shown: shown["state"] == "RUNNING" and bool(support.ledger(shown)))
    first = drain(jobs, job)
    return Two(first=first, second=drain(jobs, job))


def drain_while_installing(jobs: Jobs, job: str) -> JobJson:
    jobs.until(job, lambda shown: shown["state"] == "INSTALLING")
    return drain(jobs, job)


def drain_then_cancel(jobs: Jobs, job: str) -> Two:
    """What the drained job showed while it drained, and the answer to the cancellation."""
    jobs.until(job, lambda shown: shown["state"] == "RUNNING" and bool(support.ledger(shown)))
    drain(jobs, job)
    draining = jobs.until(job, lambda shown: shown["progress"]["phase"] == "draining")
    return Two(first=draining, second=jobs.client.cancel(job))


def rotate(jobs: Jobs, job: str) -> None:
    _until_written(jobs, job, FIRST)
    jobs.files.rename(ROTATED.source, f"before-{ROTATED.source}")
