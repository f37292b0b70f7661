"""The hook before the platform's release is deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.cluster.fake import FakeCluster
from scheduler.errors import UnavailableError
from scheduler.helm.fake import FakeHelm, Release
from scheduler.installation import removing
from tests.unit.installation import clock, objects
from tests.unit.installation.objects import BUILDS, NAMESPACE, RELEASE

APPLICATIONS = {"meta.helm.sh/release-name": "modelops-apps"}


def put(cluster: FakeCluster, kind: str, name: str, **metadata: Any) -> None:
    cluster.put({"kind": kind, "metadata": {"name": name, "namespace": NAMESPACE, **metadata}})


def remove(cluster: FakeCluster, helm: FakeHelm, meanwhile: Callable[[], None] = lambda: None) -> str:
    order = removing.Order(release=RELEASE, namespace=NAMESPACE, build_namespace=BUILDS, seconds=270)
    return removing.remove(order, helm=helm, ports=clock.ports(cluster, meanwhile))


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "Chart.yaml").write_text("name: modelops")
    return tmp_path


def test_applications_and_runs_go_and_what_is_not_theirs_stays(chart: Path) -> None:
    cluster, helm = FakeCluster(), FakeHelm()
    helm.install("modelops-apps", chart=chart, values={}, namespace=NAMESPACE, labels={})
    helm.on_uninstall = lambda _: cluster.delete("Deployment", "modelops-scheduling-server", NAMESPACE)
    put(cluster, "Deployment", "modelops-scheduling-server", annotations=APPLICATIONS)
    put(cluster, "ConfigMap", "modelops-platform-values", annotations={"meta.helm.sh/release-name": "modelops"})
    put(cluster, "PersistentVolumeClaim", "data", annotations={**APPLICATIONS, "helm.sh/resource-policy": "keep"})
    put(cluster, "Pod", "modelops-remove", labels={"app.kubernetes.io/instance": RELEASE})
    cluster.put(objects.run(1, status="True"))

    said = remove(cluster, helm)

    assert said == "nothing of modelops-apps and of the installation's runs is left"
    assert helm.status("modelops-apps", namespace=NAMESPACE) is None
    assert not cluster.list("PipelineRun", BUILDS).items
    assert [item["metadata"]["name"] for item in cluster.list("ConfigMap", NAMESPACE)] == ["modelops-platform-values"]


def test_a_platform_without_applications_is_removed(chart: Path) -> None:
    assert remove(FakeCluster(), FakeHelm()).startswith("nothing of")


def test_a_run_under_way_is_ended_before_anything_is_uninstalled(chart: Path) -> None:
    cluster, helm = FakeCluster(), FakeHelm()
    cluster.put(objects.run(1))

    def tekton() -> None:
        assert ("uninstall", "modelops-apps") not in helm.calls
        objects.end(cluster, "modelops-abababab-1")

    remove(cluster, helm, tekton)

    assert ("uninstall", "modelops-apps") in helm.calls


def test_what_goes_slowly_is_waited_for(chart: Path) -> None:
    cluster = FakeCluster()
    labels = {"app.kubernetes.io/instance": RELEASE, "pod-template-hash": "x"}
    put(cluster, "Pod", "modelops-scheduling-server-x", labels=labels)

    remove(cluster, FakeHelm(), lambda: cluster.delete("Pod", "modelops-scheduling-server-x", NAMESPACE))

    assert not cluster.list("Pod", NAMESPACE).items


def test_what_stays_is_named_when_the_time_is_over(chart: Path) -> None:
    cluster = FakeCluster()
    put(cluster, "Service", "modelops-modelops-server", annotations=APPLICATIONS)
    put(cluster, "Deployment", "modelops-modelops-server", annotations=APPLICATIONS)

    with pytest.raises(UnavailableError, match=r"Deployment/modelops-modelops-server, Service/mod"):
        remove(cluster, FakeHelm())


def test_what_helm_says_is_told_when_the_time_is_over(chart: Path) -> None:
    helm = FakeHelm()
    helm.install("modelops-apps", chart=chart, values={}, namespace=NAMESPACE, labels={})

    def refuse(_: Release) -> None:
        raise UnavailableError("helm uninstall failed: etcdserver: no leader")

    helm.on_uninstall = refuse
    with pytest.raises(UnavailableError, match="no leader"):
        remove(FakeCluster(), helm)
