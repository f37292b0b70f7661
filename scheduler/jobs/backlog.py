"""What the janitor has to look at: told by the watches, and by a look at everything now and then."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from scheduler.cluster.mirror import JobKey
from scheduler.jobs.board import Board
from scheduler.model.job import Cleanup, Job, JobState
from scheduler.model.types import Manifest
from scheduler.tekton import pipeline_run

_FIRST_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 300.0


@dataclass(slots=True)
class _Entry:
    since: float
    due: float
    tries: int = 0


class Backlog:
    """Releases that may need removing, each looked at again after ever longer pauses.

    Costs nothing while nothing happens: it knows which jobs left something to do from memory alone.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._entries: dict[JobKey, _Entry] = {}
        self._settled: set[JobKey] = set()
        """Jobs that ended with nothing left: when their runs go, there is nothing to look for."""
        self._touched: set[JobKey] = set()
        self._begun: set[JobKey] = set()
        """Jobs of which a task had a pod: no other can have installed anything."""
        self._lock = threading.Lock()

    def touch(self, key: JobKey) -> None:
        """Something of this job has changed; called by the watching threads."""
        has_begun = any(_had_pod(manifest) for manifest in self._board.mirror.of_job(*key))
        with self._lock:
            self._touched.add(key)
            if has_begun:
                self._begun.add(key)

    def gather(self, environments: Iterable[str], *, now: float) -> None:
        """Take in what has changed since the last time: runs that are gone, teardowns that failed, force."""
        with self._lock:
            touched, self._touched = self._touched, set()
            begun = touched & self._begun
            self._begun -= {key for key in touched if not self._board.mirror.stamp(*key)}
        known = set(environments)
        for key in begun:
            if key[0] in known and key not in self._settled and self._board.run(*key) is None:
                self.add(key, now=now)
        self._settled -= touched
        for environment in known:
            for job in self._board.all(environment):
                key = (environment, job.id)
                if job.state.is_finished and job.cleanup in {Cleanup.CLEAN, Cleanup.NOT_NEEDED}:
                    self._settled.add(key)
                elif self._is_left(job):
                    self.add(key, now=now)

    def add(self, key: JobKey, *, now: float) -> None:
        """Look at it soon; one that is in the backlog keeps its pauses."""
        self._entries.setdefault(key, _Entry(since=now, due=now))

    def due(self, *, now: float) -> tuple[tuple[JobKey, float], ...]:
        """Keys to look at now, each with the seconds since it was first added."""
        return tuple((key, now - entry.since) for key, entry in self._entries.items() if entry.due <= now)

    def done(self, key: JobKey) -> None:
        self._entries.pop(key, None)

    def again(self, key: JobKey, *, now: float) -> None:
        """It was looked at, and is not done."""
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.tries += 1
        pause = _FIRST_PAUSE_SECONDS * 2 ** max(entry.tries - 3, 0)
        entry.due = now + min(pause, _LONGEST_PAUSE_SECONDS)
        if pause > _LONGEST_PAUSE_SECONDS and self._board.run(*key) is None:
            del self._entries[key]  # the next look at everything will find it, if it is there

    def forget(self) -> None:
        """Another replica sees to all of it."""
        self._entries.clear()
        self._settled.clear()
        with self._lock:
            self._touched.clear()

    def _is_left(self, job: Job) -> bool:
        if job.state.is_finished:
            return job.cleanup is Cleanup.LEAKED
        if job.state not in {JobState.CANCELLING, JobState.FINISHING}:
            return False
        run = self._board.run(job.environment, job.id)
        return run is not None and pipeline_run.is_forced(run)


def _had_pod(manifest: Manifest) -> bool:
    if manifest["kind"] != "TaskRun":
        return bool(manifest["kind"] == "Pod")
    status = manifest["status"]
    return bool(status["steps"] or status.get("podName") or status.get("results"))
