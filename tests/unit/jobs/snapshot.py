"""A board without watches: it reads the fake cluster when it is asked, so that tests decide what happens when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from scheduler import names
from scheduler.cluster.mirror import Mirror
from scheduler.cluster.port import Cluster
from scheduler.jobs.board import Board
from scheduler.model.types import Manifest


class Snapshot:
    """What `Board` asks of a `Mirror`."""

    is_healthy = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def stamps(self, namespace: str) -> Mapping[str, int]:
        return {run["metadata"]["name"]: 0 for run in self._cluster.list("PipelineRun", namespace)}

    def stamp(self, namespace: str, job: str) -> int:
        """Never the same as before for a board: 0 stands for what is not kept."""
        return 0

    def of_job(self, namespace: str, job: str) -> tuple[Manifest, ...]:
        labels: dict[str, str | None] = {names.JOB_ID: job}
        return tuple(
            manifest
            for kind in ("PipelineRun", "TaskRun", "Pod")
            for manifest in self._cluster.list(kind, namespace, labels=labels)
        )


def board(cluster: Cluster) -> Board:
    return Board(cast("Mirror", Snapshot(cluster)), cluster=cluster)
