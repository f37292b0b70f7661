"""The objects of all jobs in memory, indexed by job, with a bell for those who wait for a change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.cluster.reflector import WATCH_SECONDS, Reflector, Scope
from scheduler.model.types import Manifest

JobKey = tuple[str, str]
"""Namespace and job id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """State of one watch, for readiness and metrics."""

    kind: str
    namespace: str
    is_healthy: bool
    is_refused: bool
    """The API server does not let us see the namespace, most likely because it is gone."""
    age_seconds: float
    relists: int
    quarantined: int
    last_error: str


class Mirror:
    """What the cluster shows of jobs, as watches tell it. Reading costs no request; many threads may read.

    Objects are found by the label `modelops.dev/job-id`. Each change gives the job it belongs to a new `stamp`.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        namespaces: Iterable[str],
        slims: Mapping[str, Callable[[Manifest], Manifest]],
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._changed = threading.Condition()
        self._by_job: dict[JobKey, dict[tuple[str, str], Manifest]] = {}
        self._stamps: dict[JobKey, int] = {}
        self._stamp = 0
        self._listeners: set[Callable[[JobKey], None]] = set()
        self._reflectors = [
            Reflector(
                cluster,
                Scope(kind=kind, namespace=namespace, labels={names.JOB_ID: None}),
                slim=slim,
                changed=self._note,
                watch_seconds=watch_seconds,
            )
            for namespace in namespaces
            for kind, slim in slims.items()
        ]

    def start(self) -> None:
        for reflector in self._reflectors:
            reflector.start()

    def stop(self) -> None:
        for reflector in self._reflectors:
            reflector.stop()

    @property
    def is_healthy(self) -> bool:
        """Whether every watch was heard of lately: it has its objects, or is told again and again that it may not."""
        return all(reflector.is_healthy or reflector.is_refused for reflector in self._reflectors)

    def knows(self, namespace: str) -> bool:
        """Whether what is in memory of this namespace is what the cluster holds."""
        return all(reflector.is_healthy for reflector in self._reflectors if reflector.scope.namespace == namespace)

    def is_refused(self, namespace: str) -> bool:
        """Whether the API server does not let us see this namespace: it is gone, or going."""
        return any(reflector.is_refused for reflector in self._reflectors if reflector.scope.namespace == namespace)

    def watched(self) -> tuple[Watched, ...]:
        return tuple(
            Watched(
                kind=reflector.scope.kind,
                namespace=reflector.scope.namespace,
                is_healthy=reflector.is_healthy,
                is_refused=reflector.is_refused,
                age_seconds=reflector.age_seconds,
                relists=reflector.relists,
                quarantined=reflector.quarantined,
                last_error=reflector.last_error,
            )
            for reflector in self._reflectors
        )

    def stamps(self, namespace: str) -> Mapping[str, int]:
        """The stamp of each job of which anything is there."""
        with self._changed:
            return {job: stamp for (of_namespace, job), stamp in self._stamps.items() if of_namespace == namespace}

    def stamp(self, namespace: str, job: str) -> int:
        """Grows with each change of the job's objects; 0 for a job that is not there."""
        with self._changed:
            return self._stamps.get((namespace, job), 0)

    def of_job(self, namespace: str, job: str) -> tuple[Manifest, ...]:
        with self._changed:
            return tuple(self._by_job.get((namespace, job), {}).values())

    def wait_past(self, namespace: str, job: str, stamp: int, *, timeout_seconds: float) -> int:
        """The job's stamp as soon as it is another than `stamp`, or after the time."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while (now := self._stamps.get((namespace, job), 0)) == stamp:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            return now

    def listen(self, listener: Callable[[JobKey], None]) -> Callable[[], None]:
        """Call `listener` at each change, in the watching thread, until the function that this returns is called."""
        with self._changed:
            self._listeners.add(listener)

        def leave() -> None:
            with self._changed:
                self._listeners.discard(listener)

        return leave

    def _note(self, before: Manifest | None, after: Manifest | None) -> None:
        with self._changed:
            touched = {key for key in (self._drop(before), self._keep(after)) if key}
            for key in touched:
                self._stamp += 1
                self._stamps[key] = self._stamp
                if key not in self._by_job:
                    del self._stamps[key]
            self._changed.notify_all()
            listeners = tuple(self._listeners)
        for key in touched:
            for listener in listeners:
                listener(key)

    def _drop(self, manifest: Manifest | None) -> JobKey | None:
        if manifest is None:
            return None
        key, place = _job_key(manifest), (manifest["kind"], manifest["metadata"]["name"])
        objects = self._by_job.get(key, {})
        objects.pop(place, None)
        if not objects:
            self._by_job.pop(key, None)
        return key

    def _keep(self, manifest: Manifest | None) -> JobKey | None:
        if manifest is None:
            return None
        key, place = _job_key(manifest), (manifest["kind"], manifest["metadata"]["name"])
        self._by_job.setdefault(key, {})[place] = manifest
        return key


def _job_key(manifest: Manifest) -> JobKey:
    metadata = manifest["metadata"]
    return metadata["namespace"], metadata["labels"][names.JOB_ID]
