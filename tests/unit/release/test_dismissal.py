"""Letting go of services."""

from __future__ import annotations

from scheduler.cluster.fake import FakeCluster
from scheduler.release import dismissal

NAMESPACE = "staging"


def put(cluster: FakeCluster, name: str) -> None:
    cluster.put({"kind": "Deployment", "metadata": {"name": name, "namespace": NAMESPACE}})


def test_a_deployment_that_is_gone_or_another_one_stops_nothing() -> None:
    cluster = FakeCluster()
    for name in ("gone", "new", "ours"):
        put(cluster, name)
    known = [cluster.get("Deployment", name, NAMESPACE) for name in ("gone", "new", "ours")]
    for name in ("gone", "new"):
        cluster.delete("Deployment", name, NAMESPACE)
    put(cluster, "new")

    dismissal.dismiss(known, namespace=NAMESPACE, cluster=cluster)

    assert [item["metadata"]["name"] for item in cluster.list("Deployment", NAMESPACE)] == ["new"]
