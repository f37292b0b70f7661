"""What the containers of a job wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster, LogLines
from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.model.problem import Problem
from scheduler.model.types import Manifest

FLOW: Final = "flow"
SERVICES: Final = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    source: str
    """Where the log comes from: a task of the run, the job's flow or its scoring services."""
    container: str = ""
    """Empty: the pod's main one."""
    follow: bool = False
    tail_lines: int | None = None


def open_(job_id: str, environment: str, *, selection: Selection, cluster: Cluster) -> LogLines:
    """The lines of the selected containers, one after the other; each behind its pod's name when there are several.

    NotFoundError when no such pod is there (yet, or any more: a flow goes with its release). Only one container can be
    followed.
    """
    pods = _pods(job_id, environment, selection.source, cluster)
    if not pods:
        raise NotFoundError(f"job '{job_id}' has no pod of '{selection.source}' now")
    if selection.follow and len(pods) > 1:
        listed = ", ".join(pod["metadata"]["name"] for pod in pods)
        problem = Problem(pointer="/follow", message=f"only one pod can be followed, and there are several: {listed}")
        raise InvalidInputError([problem])
    return _Joined(pods, selection, cluster)


def _pods(job_id: str, environment: str, source: str, cluster: Cluster) -> Sequence[Manifest]:
    if source in names.TASKS:
        labels = {names.JOB_ID: job_id, names.TEKTON_PIPELINE_TASK: source}
        return cluster.list("Pod", environment, labels=labels).items
    found = cluster.list("Pod", environment, labels={names.RELEASE: job_id})
    return [pod for pod in found if (pod["metadata"]["labels"].get(names.COMPONENT) == FLOW) == (source == FLOW)]


class _Joined:
    """Several logs as one; the first is opened at once, so that a fault is known before the first line is sent."""

    def __init__(self, pods: Sequence[Manifest], selection: Selection, cluster: Cluster) -> None:
        self._cluster = cluster
        self._selection = selection
        self._pods = list(pods)
        self._has_prefix = len(pods) > 1
        self._is_closed = False
        self._present = self._open(self._pods[0])
        self._lines = self._all()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._lines)

    def close(self) -> None:
        self._is_closed = True
        self._present.close()

    def _all(self) -> Iterator[str]:
        for number, pod in enumerate(self._pods):
            if self._is_closed:
                return
            if number:
                self._present = self._open(pod)
            prefix = f"[{pod['metadata']['name']}] " if self._has_prefix else ""
            for line in self._present:
                yield prefix + line

    def _open(self, pod: Manifest) -> LogLines:
        metadata = pod["metadata"]
        return self._cluster.pod_logs(
            metadata["name"],
            metadata["namespace"],
            container=self._selection.container or _main_container(pod, self._selection.source),
            follow=self._selection.follow,
            tail_lines=self._selection.tail_lines,
        )


def _main_container(pod: Manifest, source: str) -> str:
    containers = [container["name"] for container in pod["spec"]["containers"]]
    step = f"step-{source}"
    return step if step in containers else containers[0]
