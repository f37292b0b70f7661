"""Task pods of whose end Tekton cannot tell, because their node has lost the record of a container.

Such a container has ended without any time. Tekton 1.15 copies that into the status of the TaskRun, whose schema wants
times: the API server refuses it again and again, and the task goes on until its limit, hours later. Without the pod
Tekton makes it anew, and each task's program goes on where another one ended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from scheduler.cluster.mirror import JobKey, Mirror
from scheduler.errors import NotFoundError, SchedulerError
from scheduler.jobs import reading
from scheduler.jobs.ports import Ports
from scheduler.model.types import Manifest
from scheduler.tekton import task_facts, view

PATIENCE_SECONDS: Final = 20.0
"""For Tekton, and for a node that finds the record after all."""
_log = logging.getLogger(__name__)


class Untold:
    """Those that the watches have told of; costs nothing while there are none. Safe for many threads."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._lock = threading.Lock()
        self._jobs: set[JobKey] = set()
        self._since: dict[str, float] = {}
        """UID of a pod -> when it was first looked at."""

    def touch(self, key: JobKey) -> None:
        """Something of this job has changed; called by the watching threads."""
        if pods(self._mirror.of_job(*key)):
            with self._lock:
                self._jobs.add(key)

    def forget(self) -> None:
        self._since.clear()

    def remove(self, environments: Collection[str], *, now: float, ports: Ports) -> None:
        """Delete those that have been so for a while, as the environment's runner account."""
        seen = set[str]()
        for environment, pod in self._found(environments):
            name, uid = pod["metadata"]["name"], str(pod["metadata"].get("uid", ""))
            seen.add(uid)
            if now - self._since.setdefault(uid, now) < PATIENCE_SECONDS:
                continue
            try:
                ports.runner(environment).cluster.delete("Pod", name, environment, uid=uid)
                _log.warning(
                    "deleted pod %s in %s: its node has lost how it ended, and Tekton waits", name, environment
                )
            except NotFoundError:
                pass
            except SchedulerError as error:
                _log.warning("could not delete pod %s in %s, of which Tekton cannot tell: %s", name, environment, error)
        self._since = {uid: since for uid, since in self._since.items() if uid in seen}

    def _found(self, environments: Collection[str]) -> Iterator[tuple[str, Manifest]]:
        with self._lock:
            jobs, self._jobs = self._jobs, set()  # before the look: what is told of meanwhile counts
        for key in sorted(jobs):
            found = pods(self._mirror.of_job(*key))
            if found:
                with self._lock:
                    self._jobs.add(key)
            if key[0] in environments:
                yield from ((key[0], pod) for pod in found)


def pods(objects: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """Of a job's objects the pods that have failed without saying when, and whose TaskRun has not ended."""
    known = tuple(objects)
    lost = [pod for pod in reading.of_kind("Pod", known) if _is_without_times(pod)]
    if not lost:
        return ()
    waiting = {
        view.text(run, "status", "podName")
        for run in reading.of_kind("TaskRun", known)
        if task_facts.condition_of(run).status not in {"True", "False"}
    }
    return tuple(pod for pod in lost if pod["metadata"]["name"] in waiting)


def _is_without_times(pod: Manifest) -> bool:
    if view.text(pod, "status", "phase") != "Failed" or "deletionTimestamp" in pod["metadata"]:
        return False
    ended = [view.mapping(one, "state", "terminated") for one in view.items(pod, "status", "containerStatuses")]
    return any(one and not view.text(one, "finishedAt") for one in ended)
