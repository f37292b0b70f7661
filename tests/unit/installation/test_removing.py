"""The hook before the platform's release is deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.port import Listing, OwnAccessError
from scheduler.errors import UnavailableError
from scheduler.helm.fake import FakeHelm, Release
from scheduler.installation import removing
from tests.unit.installation import clock, objects
from tests.unit.installation.objects import BUILDS, NAMESPACE, RELEASE

APPLICATIONS = {"meta.helm.sh/release-name": "modelops-apps"}


def put(cluster: FakeCluster, kind: str, name: str, **metadata: Any) -> None:
    cluster.put({"kind": kind, "metadata": {"name": name, "namespace": NAMESPACE, **metadata}})


def remove(cluster: FakeCluster, helm: FakeHelm, meanwhile: Callable[[], None] = lambda: None) -> str:
    order = removing.Order(release=RELEASE, namespace=NAMESPACE, build_namespace=BUILDS, seconds=210)
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


def put_hook(cluster: FakeCluster, name: str, when: str) -> None:
    """A hook's Job and its pod."""
    labels = {"app.kubernetes.io/instance": RELEASE}
    put(cluster, "Job", name, labels=labels, annotations={"helm.sh/hook": when} if when else {})
    put(cluster, "Pod", f"{name}-x", labels={**labels, "batch.kubernetes.io/job-name": name})


def test_jobs_of_other_hooks_go_with_their_pods_and_its_own_stays() -> None:
    cluster = FakeCluster()
    for name, when in (("start", "post-install,post-upgrade"), ("test", "test"), ("remove", "pre-delete"), ("own", "")):
        put_hook(cluster, name, when)
    collected: list[str] = []

    def garbage_collector() -> None:
        assert not [name for name in ("start", "test") if name in named(cluster, "Job")]
        for name in ("start-x", "test-x"):
            if name in named(cluster, "Pod"):
                cluster.delete("Pod", name, NAMESPACE)
                collected.append(name)

    remove(cluster, FakeHelm(), garbage_collector)

    assert collected == ["start-x", "test-x"]
    assert named(cluster, "Job") == ["own", "remove"]
    assert named(cluster, "Pod") == ["own-x", "remove-x"]


def named(cluster: FakeCluster, kind: str) -> list[str]:
    return sorted(item["metadata"]["name"] for item in cluster.list(kind, NAMESPACE))


def test_a_hook_that_begins_runs_goes_before_the_runs() -> None:
    cluster = FakeCluster()
    put_hook(cluster, "start", "post-install")
    cluster.put(objects.run(1))

    def world() -> None:
        if "start-x" in named(cluster, "Pod"):
            assert ("patch", "PipelineRun") not in cluster.calls
            cluster.delete("Pod", "start-x", NAMESPACE)
        else:
            objects.end(cluster, "modelops-abababab-1")

    remove(cluster, FakeHelm(), world)

    assert ("patch", "PipelineRun") in cluster.calls


def test_roles_that_do_not_let_it_see_hooks_hold_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    class WithoutRight(FakeCluster):
        def list(self, kind: str, *arguments: Any, **more: Any) -> Listing:
            if kind == "Job":
                raise OwnAccessError("jobs.batch is forbidden")
            return super().list(kind, *arguments, **more)

    assert remove(WithoutRight(), FakeHelm()).startswith("nothing of")
    assert "Jobs of hooks that failed stay: jobs.batch is forbidden" in caplog.text


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


def test_a_run_that_does_not_end_is_named_and_nothing_is_uninstalled(chart: Path) -> None:
    cluster, helm = FakeCluster(), FakeHelm()
    cluster.put(objects.run(1))

    with pytest.raises(UnavailableError, match="do not end: modelops-abababab-1"):
        remove(cluster, helm)

    assert ("uninstall", "modelops-apps") not in helm.calls


def test_a_hook_that_does_not_go_is_named() -> None:
    cluster = FakeCluster()
    put_hook(cluster, "start", "post-install")

    with pytest.raises(UnavailableError, match="not removed in time: Pod/start-x; remove it by hand"):
        remove(cluster, FakeHelm())


def test_what_goes_slowly_is_waited_for(chart: Path) -> None:
    cluster = FakeCluster()
    labels = {"app.kubernetes.io/instance": RELEASE, "pod-template-hash": "x"}
    put(cluster, "Pod", "modelops-scheduling-server-x", labels=labels)

    remove(cluster, FakeHelm(), lambda: cluster.delete("Pod", "modelops-scheduling-server-x", NAMESPACE))

    assert not cluster.list("Pod", NAMESPACE).items


def put_lease(cluster: FakeCluster) -> None:
    put(cluster, "Lease", "modelops-janitor")


def test_the_janitors_lease_goes_when_the_servers_are_gone(chart: Path) -> None:
    cluster = FakeCluster()
    put_lease(cluster)
    put(cluster, "Lease", "another-janitor")
    labels = {"app.kubernetes.io/instance": RELEASE, "pod-template-hash": "x"}
    put(cluster, "Pod", "modelops-scheduling-server-x", labels=labels)

    def server() -> None:
        if "modelops-scheduling-server-x" in named(cluster, "Pod"):
            assert named(cluster, "Lease") == ["another-janitor", "modelops-janitor"]
            cluster.delete("Pod", "modelops-scheduling-server-x", NAMESPACE)

    remove(cluster, FakeHelm(), server)

    assert named(cluster, "Lease") == ["another-janitor"]


def test_roles_that_do_not_let_it_delete_the_lease_hold_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    class WithoutRight(FakeCluster):
        def delete(self, kind: str, *arguments: Any, **more: Any) -> None:
            if kind == "Lease":
                raise OwnAccessError("leases is forbidden")
            super().delete(kind, *arguments, **more)

    assert remove(WithoutRight(), FakeHelm()).startswith("nothing of")
    assert "the janitor's Lease stays: leases is forbidden" in caplog.text


def test_what_it_waits_for_is_logged_whenever_that_changes(chart: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A hook that is ended from outside has told it."""
    caplog.set_level("INFO")
    cluster = FakeCluster()
    for kind in ("Deployment", "Service"):
        put(cluster, kind, "modelops-modelops-server", annotations=APPLICATIONS)
    pauses: list[None] = []

    def world() -> None:
        pauses.append(None)
        if len(pauses) in {3, 6}:
            cluster.delete("Service" if len(pauses) == 3 else "Deployment", "modelops-modelops-server", NAMESPACE)

    remove(cluster, FakeHelm(), world)

    assert [line for line in caplog.messages if line.startswith("waiting")] == [
        "waiting for Deployment/modelops-modelops-server, Service/modelops-modelops-server",
        "waiting for Deployment/modelops-modelops-server",
    ]


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
