"""What of a release is still there: a label query over every kind that it can have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.model.types import Manifest

KINDS: Final[tuple[str, ...]] = (
    # what the charts of a job render
    *("ConfigMap", "Deployment", "Job", "NetworkPolicy", "Service"),
    # what controllers make of those, and helm's record
    *("EndpointSlice", "Endpoints", "Pod", "ReplicaSet", "Secret"),
)
"""A test compares the first line with the charts; an object of another kind would be left behind unseen."""


def find(release: str, *, namespace: str, cluster: Cluster, kinds: Iterable[str] = KINDS) -> list[Manifest]:
    """The objects that bear the release's label, those that are being deleted among them."""
    return [
        {**manifest, "kind": kind}
        for kind in kinds
        for manifest in cluster.list(kind, namespace, labels={names.RELEASE: release})
    ]


def named(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
