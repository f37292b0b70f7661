"""Many jobs: filtered, newest first, page by page."""

from __future__ import annotations

import base64
import binascii
import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scheduler.errors import InvalidInputError
from scheduler.jobs.board import Board
from scheduler.model.job import Job, JobState
from scheduler.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which jobs; an empty field lets all through."""

    states: frozenset[JobState] = frozenset()
    pipeline: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    since: str = ""
    """RFC 3339, UTC, whole seconds: submitted at or after."""
    until: str = ""
    """Submitted before."""

    def accepts(self, job: Job) -> bool:
        at = created(job)
        return (
            (not self.states or job.state in self.states)
            and (not self.pipeline or job.submission.pipeline == self.pipeline)
            and all(job.submission.labels.get(key) == value for key, value in self.labels.items())
            and (not self.since or at >= self.since)
            and (not self.until or at < self.until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    jobs: tuple[Job, ...]
    next_cursor: str
    """Where the next page begins; empty after the last."""


def page(board: Board, environments: Iterable[str], *, filter_: Filter, limit: int, cursor: str = "") -> Page:
    """At most `limit` jobs after `cursor`, newest first.

    A cursor names the last job seen, so jobs that come meanwhile shift nothing; InvalidInputError for any other text.
    """
    before = _decoded(cursor) if cursor else None
    found = [
        job
        for environment in environments
        for job in board.all(environment)
        if (before is None or _place(job) < before) and filter_.accepts(job)
    ]
    shown = tuple(heapq.nlargest(limit, found, key=_place))
    return Page(jobs=shown, next_cursor=_encoded(shown[-1]) if len(found) > limit else "")


def created(job: Job) -> str:
    return job.timestamps.get(JobState.QUEUED.value, "")


def _place(job: Job) -> tuple[str, str]:
    return created(job), job.id


def _encoded(job: Job) -> str:
    return base64.urlsafe_b64encode(json.dumps(_place(job)).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[str, str]:
    try:
        at, job_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, TypeError, ValueError) as error:
        raise _bad_cursor() from error
    if not isinstance(at, str) or not isinstance(job_id, str):
        raise _bad_cursor()
    return at, job_id


def _bad_cursor() -> InvalidInputError:
    return InvalidInputError([Problem(pointer="/cursor", message="this is no cursor that a page of jobs has given")])
