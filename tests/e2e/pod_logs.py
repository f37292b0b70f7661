"""Keeps what the pods of jobs write: a job's flow and services are gone with their logs when it has ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster, EventType, ExpiredError
from scheduler.errors import SchedulerError
from scheduler.model.types import Manifest
from scheduler.tekton import view

_PAUSE_SECONDS: Final = 0.5
_WATCH_SECONDS: Final = 3.0


class PodLogs:
    """Follows every container of every job's pod in the environment while the context is open."""

    def __init__(self, cluster: Cluster, environment: str) -> None:
        self._cluster, self._environment = cluster, environment
        self._lines: dict[str, dict[str, list[str]]] = {}
        self._followed: set[tuple[str, str, int]] = set()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._look, args=(label,), daemon=True) for label in (names.RELEASE, names.JOB_ID)
        ]

    def __enter__(self) -> PodLogs:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def of(self, job: str) -> Mapping[str, list[str]]:
        """`pod/container` -> its lines so far."""
        return {title: list(lines) for title, lines in sorted(self._lines.get(job, {}).items())}

    def _look(self, label: str) -> None:
        """Of pods that change from now on: those of earlier jobs have nothing to say."""
        version = ""
        while not self._over.is_set():
            try:
                version = version or self._cluster.list("Pod", self._environment, labels={label: None}).resource_version
                version = self._watch(label, version)
            except ExpiredError:
                version = ""
            except SchedulerError:
                self._over.wait(_PAUSE_SECONDS)

    def _watch(self, label: str, version: str) -> str:
        """The version up to which everything was seen."""
        for event in self._cluster.watch(
            "Pod",
            self._environment,
            labels={label: None},
            resource_version=version,
            timeout_seconds=_WATCH_SECONDS,
        ):
            version = event.manifest["metadata"]["resourceVersion"]
            if event.type in {EventType.ADDED, EventType.MODIFIED}:
                self._follow_all(event.manifest, job=event.manifest["metadata"]["labels"][label])
        return version

    def _follow_all(self, pod: Manifest, *, job: str) -> None:
        statuses = (
            *view.items(pod, "status", "initContainerStatuses"),
            *view.items(pod, "status", "containerStatuses"),
        )
        for status in statuses:
            container = view.text(status, "name")
            key = (pod["metadata"]["uid"], container, int(status.get("restartCount", 0)))
            if key in self._followed or "waiting" in view.mapping(status, "state"):
                continue
            self._followed.add(key)
            title = f"{pod['metadata']['name']}/{container}"
            lines = self._lines.setdefault(job, {}).setdefault(title, [])
            follow = threading.Thread(
                target=self._follow, args=(pod["metadata"]["name"], container, lines), daemon=True
            )
            follow.start()

    def _follow(self, pod: str, container: str, lines: list[str]) -> None:
        with suppress(SchedulerError):  # the pod went away
            lines.extend(self._cluster.pod_logs(pod, self._environment, container=container, follow=True))
