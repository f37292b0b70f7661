"""Which unfinished jobs use a data channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import NotFoundError
from scheduler.jobs.board import Board
from scheduler.model.types import Manifest
from scheduler.tekton import job_input, view


def unfinished(environment: str, channel: str, *, board: Board, cluster: Cluster) -> tuple[str, ...]:
    """Ids of jobs that are not over and whose Values name the channel; a job without its input uses nothing."""
    jobs = sorted(job.id for job in board.all(environment) if not job.state.is_finished)
    return tuple(job for job in jobs if channel in _channels(board.run(environment, job), cluster))


def _channels(run: Manifest | None, cluster: Cluster) -> Iterable[str]:
    if run is None:
        return ()
    name = view.text(run, "metadata", "annotations", names.INPUT)
    try:
        found = cluster.get("ConfigMap", name, run["metadata"]["namespace"])
        values: Mapping[str, Any] = yaml.load(view.text(found, "data", job_input.VALUES_KEY), Loader=yaml.CSafeLoader)
    except (NotFoundError, yaml.YAMLError):
        return ()
    return [view.text(channel, "name") for channel in view.items(values, "data-channel", "channels")]
