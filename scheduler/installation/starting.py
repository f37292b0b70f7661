"""`start`: the hook that begins an installation, once for equal content."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, NotFoundError
from scheduler.installation import cancelling, runs
from scheduler.installation.cancelling import Ports
from scheduler.model.types import Manifest

PATIENCE_SECONDS: Final = 60.0
"""For Pipeline and Tasks to be there, and for an earlier run to end."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    release: str
    """The platform's name."""
    namespace: str
    """Of the builds."""
    run: Manifest
    """The PipelineRun without its name."""
    digest: str
    """`sha256:…` of all that the run is made from."""
    keep: int
    """How many finished runs stay."""


def start(order: Order, *, ports: Ports) -> str:
    """What was done, in a sentence.

    A run of equal content that goes on or has succeeded is left alone when it is the newest; any other is cancelled
    before the next is made. NotFoundError when Pipeline or Tasks do not come.
    """
    _await_tasks(order, ports)
    found = _runs(order, ports.cluster)
    if found and runs.digest(found[-1]) == order.digest:
        newest = found[-1]
        if runs.has_succeeded(newest):
            return f"nothing has changed since the installation {newest['metadata']['name']}, which succeeded"
        if not runs.is_finished(newest):
            return f"the installation {newest['metadata']['name']} of this very content is under way"
    cancelling.cancel(found, deadline=ports.clock() + PATIENCE_SECONDS, ports=ports)
    made = _create(order, number=max((runs.number(run) for run in found), default=0) + 1, cluster=ports.cluster)
    _prune(order, ports.cluster)
    return f"the installation {made} is under way: `modelops install wait` follows it"


def _await_tasks(order: Order, ports: Ports) -> None:
    deadline = ports.clock() + PATIENCE_SECONDS
    while missing := _missing(order, ports.cluster):
        if ports.clock() >= deadline:
            raise NotFoundError(f"the installation cannot start: {missing} not in namespace '{order.namespace}'")
        ports.pause()


def _missing(order: Order, cluster: Cluster) -> str:
    """What the run refers to and is not there, in words; empty when all is."""
    name = order.run["spec"]["pipelineRef"]["name"]
    try:
        pipeline = cluster.get("Pipeline", name, order.namespace)
    except NotFoundError:
        return f"Pipeline '{name}' is"
    there = {task["metadata"]["name"] for task in cluster.list("Task", order.namespace)}
    missing = [f"'{task}'" for task in runs.tasks_of(pipeline) if task not in there]
    return f"Task {', '.join(missing)} of Pipeline '{name}' is" if missing else ""


def _runs(order: Order, cluster: Cluster) -> tuple[Manifest, ...]:
    return runs.in_order(cluster.list("PipelineRun", order.namespace, labels={names.INSTALLATION: order.release}))


def _create(order: Order, *, number: int, cluster: Cluster) -> str:
    """The new run's name; a number that somebody else took meanwhile is passed over."""
    metadata = order.run.get("metadata") or {}
    while True:
        name = names.installation_run(order.release, order.digest, number)
        made = {
            **order.run,
            "metadata": {
                **metadata,
                "name": name,
                "namespace": order.namespace,
                "labels": {**(metadata.get("labels") or {}), names.INSTALLATION: order.release},
                "annotations": {**(metadata.get("annotations") or {}), names.CONTENT_DIGEST: order.digest},
            },
        }
        try:
            cluster.create(made)
        except ConflictError:
            number += 1
        else:
            return name


def _prune(order: Order, cluster: Cluster) -> None:
    finished = [run for run in _runs(order, cluster) if runs.is_finished(run)]
    for run in finished[: max(0, len(finished) - order.keep)]:
        _log.info("removing the record of the installation %s", run["metadata"]["name"])
        with suppress(NotFoundError):
            cluster.delete("PipelineRun", run["metadata"]["name"], order.namespace)
