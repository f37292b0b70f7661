"""Letting go of scoring services that nobody will ask any more, ahead of the removal of their release."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from scheduler.cluster.port import Cluster
from scheduler.errors import SchedulerError
from scheduler.model.types import Manifest

_log = logging.getLogger(__name__)


def dismiss(deployments: Iterable[Manifest], *, namespace: str, cluster: Cluster) -> None:
    """Ask for the deletion of these very Deployments, and wait for nothing.

    Their pods end while the cluster makes the pod that removes the release; it would wait for them otherwise. Whatever
    fails here is left to that removal, which alone proves that nothing is there any more.
    """
    for deployment in deployments:
        metadata = deployment["metadata"]
        try:
            cluster.delete("Deployment", metadata["name"], namespace, uid=metadata.get("uid", ""))
        except SchedulerError as error:
            _log.info("Deployment %s is left to the removal of the release: %s", metadata["name"], error)
