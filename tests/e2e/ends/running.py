"""Runs the jobs of many cases side by side in the background; each is waited for by the test that looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from scheduler.client.scheduling import JobJson
from tests.e2e import recipes, support
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

ROWS: Final = 1000
AT_ONCE: Final = 6
"""More than elsewhere: some of them only wait for a pod that is to be started again."""


def _rows(recipe: Recipe) -> bytes | None:
    return recipe.source_of(recipes.rows(ROWS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A job, and what happens to it."""

    recipe: Recipe
    source: Callable[[Recipe], bytes | None] = _rows
    """The source's file; None for none."""
    before: Callable[[Jobs, Recipe], object] | None = None
    """Done when the source is there and the job is not yet asked for."""
    meanwhile: Callable[[Jobs, str], object] | None = None
    """Done to the job of this id once it is asked for; what it returns is kept."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Goes into the order as it is."""
    limit_seconds: float = 360


class Running:
    """The cases' jobs by the cases' ids, begun in the order of `cases`, `AT_ONCE` at once."""

    def __init__(self, jobs: Jobs, cases: Mapping[str, Case]) -> None:
        self.acted: dict[str, object] = {}
        """What `meanwhile` returned, once the job is over."""
        self._jobs = jobs
        self._ids: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="case")
        self._ended: Mapping[str, Future[JobJson]] = {
            id_: self._threads.submit(self._run, id_, case) for id_, case in cases.items()
        }

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def __getitem__(self, id_: str) -> JobJson:
        """The finished job."""
        try:
            return self._ended[id_].result()
        finally:
            if id_ in self._ids:
                support.LOOKED_AT[self._ids[id_]] = self._jobs.logs

    def _run(self, id_: str, case: Case) -> JobJson:
        jobs = self._jobs
        jobs.give(case.recipe, case.source(case.recipe))
        if case.before is not None:
            case.before(jobs, case.recipe)
        job_id = self._ids[id_] = jobs.start(case.recipe, **case.more)["id"]
        if case.meanwhile is not None:
            self.acted[id_] = case.meanwhile(jobs, job_id)
        return jobs.finish(job_id, limit_seconds=case.limit_seconds)
