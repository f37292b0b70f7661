"""When what happened to the pods of a job, as a watch sees it: their own times are whole seconds."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.cluster.reflector import Reflector, Scope
from scheduler.model.types import Manifest
from scheduler.tekton import view


class Timeline:
    """Notes the first time at which each moment of each pod of the environment was seen, while the context is open."""

    def __init__(self, cluster: Cluster, environment: str) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, dict[str, float]] = {}
        scope = Scope(kind="Pod", namespace=environment)
        self._reflector = Reflector(cluster, scope, slim=dict, changed=self._note)

    def __enter__(self) -> Timeline:
        self._reflector.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reflector.stop()

    def of(self, job: str) -> Mapping[str, float]:
        """Moment to `time.monotonic()`, of one job's pods."""
        with self._lock:
            return dict(self._seen.get(job, {}))

    def _note(self, before: Manifest | None, after: Manifest | None) -> None:
        now = time.monotonic()
        pod = after or before or {}
        labels = view.mapping(pod, "metadata", "labels")
        job = str(labels.get(names.RELEASE) or labels.get(names.JOB_ID) or "")
        if not job:
            return
        who = str(labels.get(names.TEKTON_PIPELINE_TASK) or labels.get("app.kubernetes.io/component") or "pod")
        moments = [f"{who}: pod gone"] if after is None else [f"{who}: {moment}" for moment in _moments(after)]
        with self._lock:
            seen = self._seen.setdefault(job, {})
            for moment in moments:
                seen.setdefault(moment, now)


def _moments(pod: Manifest) -> Iterable[str]:
    """Everything that has happened to a pod so far."""
    yield "pod made"
    for kind, word in (("initContainerStatuses", "init "), ("containerStatuses", "")):
        for status in view.items(pod, "status", kind):
            name = f"{word}{status.get('name')}"
            state = view.mapping(status, "state")
            if state.keys() & {"running", "terminated"}:
                yield f"{name} runs"
            if "terminated" in state:
                yield f"{name} ended"
            if status.get("ready") and not word:
                yield "ready"


def table(runs: Sequence[Mapping[str, float]]) -> str:
    """Markdown: each moment that every run has, the middle of its seconds after the start, and after the line above."""
    common = set.intersection(*(set(run) for run in runs))
    middle = sorted((statistics.median(run[moment] for run in runs), moment) for moment in common)
    lines = ["| moment | after the order | after the line above |", "| --- | ---: | ---: |"]
    last = 0.0
    for seconds, moment in middle:
        lines.append(f"| {moment} | {seconds:.2f} s | {seconds - last:.2f} s |")
        last = seconds
    return "\n".join(lines)
