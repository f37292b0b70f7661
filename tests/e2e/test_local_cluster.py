"""The local cluster, as it runs: node, names, policies by packets, and repair."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from scheduler import devcluster
from scheduler.devcluster import processes, startup, tekton, volumes
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.kubectl import Kubectl, Manifest
from tests import real_cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    real_cluster.LOCAL_ONLY,
]

CRDS: Final = "customresourcedefinitions.apiextensions.k8s.io"
SERVER: Final = "python3 -m http.server 8000 --directory /usr/share/doc/base-files"


@pytest.fixture(scope="module")
def machine() -> Machine:
    return startup.machine(os.environ)


@pytest.fixture(scope="module")
def cluster(machine: Machine) -> Kubectl:
    return startup.kubectl_of(machine.home)


@pytest.fixture
def namespace(cluster: Kubectl) -> Iterator[str]:
    name = f"e2e-{uuid4().hex[:8]}"
    cluster("create", "namespace", name)
    cluster("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    cluster("delete", "namespace", name, "--wait=false")


def pod(name: str, machine: Machine, *, command: str, labels: dict[str, str]) -> Manifest:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
    container = {
        "name": "main",
        "image": f"{machine.addresses.registry}/modelops/base:trixie",
        "command": ["sh", "-c", command],
        "securityContext": security,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }
    user = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"securityContext": user, "containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def policy(name: str, spec: dict[str, Any]) -> Manifest:
    metadata = {"name": name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def create(cluster: Kubectl, namespace: str, *manifests: Manifest) -> None:
    for manifest in manifests:
        cluster("create", "--namespace", namespace, "-f", "-", stdin=json.dumps(manifest))


def comes_true(holds: Callable[[], bool], *, within_seconds: float) -> bool:
    return processes.wait_until(holds, limit_seconds=within_seconds, every_seconds=0.5)


def test_the_node_is_ready_and_everything_answers() -> None:
    status = devcluster.status()
    assert status.is_ready, status
    assert status.nodes == {"modelops": True}
    assert status.api_server_version == "v1.34.4"


def test_policies_are_enforced_on_packets(cluster: Kubectl, machine: Machine, namespace: str) -> None:
    client = pod("client", machine, command="sleep 300", labels={"role": "client"})
    server = pod("server", machine, command=SERVER, labels={"role": "server"})
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server"},
        "spec": {"selector": {"role": "server"}, "ports": [{"port": 80, "targetPort": 8000}]},
    }
    create(cluster, namespace, client, server, service)
    for name in ("client", "server"):
        words = ("wait", "--for=condition=Ready", f"pod/{name}", "--namespace", namespace, "--timeout=60s")
        cluster(*words, limit_seconds=60)

    def reaches() -> bool:
        ask = "import urllib.request as u; u.urlopen('http://server/copyright', timeout=2).read()"
        return cluster.answers("exec", "--namespace", namespace, "client", "--", "python3", "-c", ask, limit_seconds=10)

    assert comes_true(reaches, within_seconds=20)
    create(cluster, namespace, policy("nobody", {"podSelector": {}, "policyTypes": ["Ingress"]}))
    assert comes_true(lambda: not reaches(), within_seconds=20)
    assert not reaches()
    chosen = {"podSelector": {"matchLabels": {"role": "server"}}, "policyTypes": ["Ingress"]}
    sources = [{"podSelector": {"matchLabels": {"role": "client"}}}]
    create(cluster, namespace, policy("client", {**chosen, "ingress": [{"from": sources}]}))
    assert comes_true(reaches, within_seconds=20)


def test_names_of_services_and_of_the_world_are_known_in_pods(
    cluster: Kubectl, machine: Machine, namespace: str
) -> None:
    ask = "import socket; print(socket.gethostbyname('kubernetes.default.svc'))"
    create(cluster, namespace, pod("names", machine, command=f'python3 -c "{ask}"; sleep 300', labels={}))
    expected = str(machine.addresses.kubernetes_service)
    words = ("logs", "names", "--namespace", namespace)
    assert comes_true(lambda: cluster.answers(*words) and expected in cluster(*words), within_seconds=60), cluster(
        "describe", "pod", "names", "--namespace", namespace
    )


@pytest.mark.parametrize("host", ["localhost", "bridge"])
def test_the_registry_answers_by_both_its_names(machine: Machine, host: str) -> None:
    place = machine.addresses.registry if host == "bridge" else "localhost:5000"
    tags = httpx.get(f"http://{place}/v2/modelops/base/tags/list", trust_env=False, timeout=10).json()
    assert tags == {"name": "modelops/base", "tags": ["trixie"]}


def test_a_claim_binds_at_once_and_its_volume_is_emptied_only_when_asked(
    cluster: Kubectl, machine: Machine, namespace: str
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    create(cluster, namespace, claim)
    found = ("get", "persistentvolumeclaim", "data", "--namespace", namespace)
    assert comes_true(lambda: cluster(*found, "--output=jsonpath={.status.phase}") == "Bound", within_seconds=20)
    name = cluster(*found, "--output=jsonpath={.spec.volumeName}")
    folder = machine.home.volumes / name
    assert (folder.stat().st_uid, folder.stat().st_gid) == (10001, 10001)
    (folder / "records").write_text("1")
    cluster("delete", "persistentvolumeclaim", "data", "--namespace", namespace)
    phase = ("get", "persistentvolume", name, "--output=jsonpath={.status.phase}")
    assert comes_true(lambda: cluster(*phase) == "Released", within_seconds=20)
    assert (folder / "records").exists()
    assert name in volumes.recycle(machine.home, cluster)
    assert list(folder.iterdir()) == []
    assert comes_true(lambda: cluster(*phase) == "Available", within_seconds=20)


def running(machine: Machine) -> dict[str, int]:
    return {component.name: component.pid for component in devcluster.status().components}


def test_a_second_up_changes_nothing_and_takes_seconds(cluster: Kubectl, machine: Machine) -> None:
    devcluster.up(lambda line: None)  # whatever was changed in the sources since the last one
    output = "--output=jsonpath={range .items[*]}{.metadata.uid} {.metadata.generation} {end}"
    kinds = (
        ("deployments,configmaps,roles", f"--namespace={tekton.NAMESPACE}"),
        (f"persistentvolumes,storageclasses,clusterroles,clusterrolebindings,{CRDS}",),
    )
    before, objects = running(machine), [cluster("get", *words, output) for words in kinds]
    told: list[str] = []
    began = time.monotonic()
    devcluster.up(told.append)
    assert time.monotonic() - began < 30
    assert [line for line in told if not line.startswith(("node Ready", "Tekton answers"))] == []
    assert running(machine) == before
    assert [cluster("get", *words, output) for words in kinds] == objects


@pytest.mark.parametrize("name", ["coredns", "kube-proxy"])
def test_a_killed_process_is_started_again_and_no_other(machine: Machine, name: str) -> None:
    before = running(machine)
    os.kill(before[name], signal.SIGKILL)
    assert comes_true(lambda: running(machine)[name] == 0, within_seconds=10)
    assert devcluster.up(lambda line: None).is_ready
    after = running(machine)
    assert after.pop(name) not in (0, before.pop(name))
    assert after == before
