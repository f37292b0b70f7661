"""What a real API server says to a watch from a version that it does not know any more; the mirror then lists again
(tests/unit/cluster/test_mirror.py).
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import ExpiredError
from scheduler.devcluster import startup
from tests import real_cluster
from tests.e2e import other_api_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), real_cluster.LOCAL_ONLY]

NAMESPACE = "default"


def test_a_version_from_before_the_api_servers_restart_has_expired(tmp_path: Path) -> None:
    programs = startup.machine(os.environ).home.bin
    with (
        other_api_server.running(programs, tmp_path) as kubectl,
        closing(KubernetesCluster.from_kubeconfig(kubectl.kubeconfig)) as cluster,
    ):
        seen = cluster.list("ConfigMap", NAMESPACE).resource_version
        cluster.create(_config_map("meanwhile"))
        assert list(_added(cluster, seen)) == ["meanwhile"]

    with (
        other_api_server.running(programs, tmp_path) as kubectl,
        closing(KubernetesCluster.from_kubeconfig(kubectl.kubeconfig)) as cluster,
    ):
        with pytest.raises(ExpiredError):
            list(_added(cluster, seen))
        again = cluster.list("ConfigMap", NAMESPACE)
        assert "meanwhile" in {one["metadata"]["name"] for one in again.items}
        cluster.create(_config_map("later"))
        assert list(_added(cluster, again.resource_version)) == ["later"]


def _config_map(name: str) -> dict[str, object]:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"of": "test"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def _added(cluster: KubernetesCluster, version: str) -> list[str]:
    """What a watch of two seconds tells of our own objects."""
    events = cluster.watch("ConfigMap", NAMESPACE, labels={"of": "test"}, resource_version=version, timeout_seconds=2)
    return [event.manifest["metadata"]["name"] for event in events if event.type == "ADDED"]
