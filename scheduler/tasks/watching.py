"""The objects of one job, kept up to date by watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.cluster.reflector import Reflector, Scope
from scheduler.errors import SchedulerError
from scheduler.model.types import Manifest
from scheduler.release.stop import Bell
from scheduler.tasks import room
from scheduler.tasks.release_view import ReleaseView
from scheduler.tekton import view

WATCH_SECONDS: Final = 20.0
_KINDS: Final = ("Pod", "Job", "Deployment", "PipelineRun")
_WARNINGS_PAUSE_SECONDS: Final = 5.0


class Watching:
    """What the cluster shows of one job while the context is open; `bell` rings at every change."""

    def __init__(
        self, cluster: Cluster, *, namespace: str, job: str, bell: Bell, watch_seconds: float = WATCH_SECONDS
    ) -> None:
        self._cluster, self._namespace, self._job = cluster, namespace, job
        self._lock = threading.Lock()
        self._bell = bell
        self._objects: dict[tuple[str, str], Manifest] = {}
        self._warnings: tuple[str, ...] = ()
        self._warned = float("-inf")
        labels = {"PipelineRun": {names.JOB_ID: job}}
        self._reflectors = [
            Reflector(
                cluster,
                Scope(kind=kind, namespace=namespace, labels=labels.get(kind, {names.RELEASE: job})),
                slim=dict,
                changed=self._note(kind),
                watch_seconds=watch_seconds,
            )
            for kind in _KINDS
        ]

    def __enter__(self) -> Watching:
        for reflector in self._reflectors:
            reflector.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reflector in self._reflectors:
            reflector.stop()

    def now(self) -> ReleaseView:
        with self._lock:
            objects = sorted(self._objects.items())
        found = {kind: tuple(item for (of_kind, _), item in objects if of_kind == kind) for kind in _KINDS}
        flow_name = names.flow(self._job)
        shown = ReleaseView(
            pods=found["Pod"],
            deployments=found["Deployment"],
            flow_job=next((item for item in found["Job"] if item["metadata"]["name"] == flow_name), None),
            node=room.here(),
            run=next((item for item in found["PipelineRun"] if item["metadata"]["name"] == self._job), None),
            unseen="; ".join(
                f"{reflector.scope.kind}: {reflector.last_error or 'no answer yet'}"
                for reflector in self._reflectors
                if not reflector.relists
            ),
        )
        if shown.flow_job is None or shown.flow_pods:
            return shown
        return replace(shown, job_warnings=self._asked_warnings(flow_name))

    def final_pods(self) -> tuple[Manifest, ...]:
        """The release's pods, asked for now: a watch of pods may be behind that of their Job."""
        return tuple(self._cluster.list("Pod", self._namespace, labels={names.RELEASE: self._job}))

    def _asked_warnings(self, name: str) -> tuple[str, ...]:
        """Why a batch Job has no pod stands in events only; they are asked for now and then."""
        if time.monotonic() - self._warned >= _WARNINGS_PAUSE_SECONDS:
            self._warned = time.monotonic()
            try:
                events = self._cluster.list("Event", self._namespace)
            except SchedulerError:
                return self._warnings
            about = [
                event
                for event in events
                if event.get("type") == "Warning"
                and view.text(event, "involvedObject", "kind") == "Job"
                and view.text(event, "involvedObject", "name") == name
            ]
            about.sort(key=lambda event: view.text(event, "lastTimestamp") or view.text(event, "eventTime"))
            self._warnings = tuple(view.text(event, "message") for event in about)
        return self._warnings

    def _note(self, kind: str) -> Callable[[Manifest | None, Manifest | None], None]:
        def note(before: Manifest | None, after: Manifest | None) -> None:
            with self._lock:
                if after is not None:
                    self._objects[kind, after["metadata"]["name"]] = after
                elif before is not None:
                    self._objects.pop((kind, before["metadata"]["name"]), None)
            self._bell.ring()

        return note
