"""Task uninstall: what CLEAN means, and that it is told when it is not so."""

from __future__ import annotations

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.port import Listing
from scheduler.errors import NotFoundError, ProgramError, UnavailableError
from scheduler.helm.fake import Release
from scheduler.model.job import Cleanup
from scheduler.model.types import Manifest
from scheduler.release import remains
from scheduler.release.ports import Ports
from scheduler.release.stop import StoppedError
from scheduler.tasks import uninstall
from scheduler.tasks.uninstall import Uninstalled

from .releases import FLOW, JOB, LABELS, NAMESPACE, SERVICE, VALUES, HelmOnCluster, manifest, pod, ports


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def helm(cluster: FakeCluster, tmp_path_factory: pytest.TempPathFactory) -> HelmOnCluster:
    """A release that is installed."""
    chart = tmp_path_factory.mktemp("chart")
    (chart / "Chart.yaml").touch()
    made = HelmOnCluster(cluster)
    made.install(JOB, chart=chart, values=VALUES, namespace=NAMESPACE, labels=LABELS)
    return made


def run(given: Ports, *, seconds: float = 60) -> Uninstalled:
    return uninstall.run(JOB, namespace=NAMESPACE, seconds=seconds, ports=given)


def left(cluster: FakeCluster) -> list[Manifest]:
    return remains.find(JOB, namespace=NAMESPACE, cluster=cluster)


def test_a_release_is_removed_and_that_is_proven(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    done = run(ports(cluster, helm))

    assert done.fields() == {"cleanup": "CLEAN", "reason": "", "leftovers": [], "message": ""}
    assert left(cluster) == []
    asked = {kind for verb, kind in cluster.calls if verb == "list"}
    assert asked == set(remains.KINDS)


def test_it_may_run_twice_and_without_any_release(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    run(ports(cluster, helm))

    assert run(ports(cluster, helm)).cleanup is Cleanup.CLEAN
    assert run(ports(FakeCluster(), HelmOnCluster(FakeCluster()))).cleanup is Cleanup.CLEAN


def test_what_helm_leaves_behind_is_deleted_by_its_label(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    helm.keeps = {"Deployment", "Service"}
    cluster.put(pod("stray", component="scoring-server-pmml"))

    assert run(ports(cluster, helm)).cleanup is Cleanup.CLEAN
    assert left(cluster) == []


def test_a_half_made_release_without_a_record_is_found_by_label(cluster: FakeCluster) -> None:
    """A killed helm may have made objects and no record."""
    cluster.put(manifest("Service", SERVICE))

    assert run(ports(cluster, HelmOnCluster(cluster))).cleanup is Cleanup.CLEAN
    assert left(cluster) == []


def test_other_jobs_are_not_touched(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    other = {"name": "other", "namespace": NAMESPACE, "labels": {names.RELEASE: "j" + "b" * 20}}
    cluster.put({"kind": "Service", "metadata": other})

    run(ports(cluster, helm))

    assert cluster.get("Service", "other", NAMESPACE)["metadata"]["name"] == "other"


class Stuck(FakeCluster):
    """Has objects with a finalizer that nobody removes."""

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        if kind == "Service":
            found = self.get(kind, name, namespace)
            self.put({**found, "metadata": {**found["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
            return
        super().delete(kind, name, namespace, uid=uid, resource_version=resource_version, grace_seconds=grace_seconds)


def test_an_object_that_does_not_go_is_a_leak_and_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    cluster = Stuck()
    helm = HelmOnCluster(cluster)
    chart = tmp_path_factory.mktemp("chart")
    (chart / "Chart.yaml").touch()
    helm.install(JOB, chart=chart, values=VALUES, namespace=NAMESPACE, labels=LABELS)

    done = run(ports(cluster, helm))

    assert done.fields() == {
        "cleanup": "LEAKED",
        "reason": "FinishDeadline",
        "leftovers": [f"Service/{SERVICE}"],
        "message": "1 object of the release left when the finish deadline came",
    }


def test_helms_failure_is_no_leak_when_nothing_is_left(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    failures = iter([True])
    unmake = helm.on_uninstall

    def sometimes(release: Release) -> None:
        if next(failures, False):
            raise ProgramError("helm uninstall failed (exit code 1): secrets is forbidden")
        assert unmake is not None
        unmake(release)

    helm.on_uninstall = sometimes

    done = run(ports(cluster, helm))

    assert done.cleanup is Cleanup.CLEAN
    assert done.message == "helm uninstall failed (exit code 1): secrets is forbidden"


def test_a_release_whose_record_helm_cannot_read_is_removed_by_its_label(
    cluster: FakeCluster, helm: HelmOnCluster
) -> None:
    def damaged(_release: Release) -> None:
        raise ProgramError("helm uninstall failed (exit code 1): illegal base64 data")

    helm.on_uninstall = damaged

    done = run(ports(cluster, helm))

    assert (done.cleanup, done.message) == (
        Cleanup.CLEAN,
        "helm uninstall failed (exit code 1): illegal base64 data",
    )
    assert left(cluster) == []


class Silent(FakeCluster):
    """Answers nothing about Secrets."""

    def list(self, kind: str, namespace: str = "", *, labels: object = None, may_lag: bool = False) -> Listing:
        if kind == "Secret":
            raise UnavailableError("no answer")
        return Listing(items=(), resource_version="1")


def test_what_cannot_be_asked_is_not_proven() -> None:
    cluster = Silent()

    done = run(ports(cluster, HelmOnCluster(cluster)))

    assert done.cleanup is Cleanup.LEAKED
    assert done.message == (
        "that nothing of the release is left could not be proven before the finish deadline came: no answer"
    )


def install_pod(phase: str) -> Manifest:
    labels = {names.JOB_ID: JOB, names.TEKTON_PIPELINE_TASK: "install"}
    metadata = {"name": f"{JOB}-install-pod", "namespace": NAMESPACE, "labels": labels}
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": []}, "status": {"phase": phase}}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_install_pod_is_not_waited_for(cluster: FakeCluster, helm: HelmOnCluster, phase: str) -> None:
    cluster.put(install_pod(phase))
    given = ports(cluster, helm)

    assert run(given).cleanup is Cleanup.CLEAN
    assert given.clock() < 2


def test_an_install_that_is_still_at_work_is_waited_for_first(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    cluster.put(install_pod("Running"))
    given = ports(cluster, helm)
    pause, paused = given.stop.pause, []

    def until(seconds: float) -> None:
        paused.append(len(helm.calls))
        if len(paused) == 10:
            cluster.delete("Pod", f"{JOB}-install-pod", NAMESPACE)
        pause(seconds)

    given.stop.pause = until  # type: ignore[method-assign]

    assert run(given).cleanup is Cleanup.CLEAN
    assert paused[:10] == [1] * 10


def test_an_install_pod_that_never_goes_is_a_leak(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    """Its helm may make objects after we have looked."""
    cluster.put(install_pod("Running"))

    done = run(ports(cluster, helm))

    assert done.cleanup is Cleanup.LEAKED
    assert done.leftovers == (f"Pod/{JOB}-install-pod",)
    with pytest.raises(NotFoundError):
        cluster.get("Job", FLOW, NAMESPACE)


def test_it_may_be_stopped_and_begun_again(cluster: FakeCluster, helm: HelmOnCluster) -> None:
    given = ports(cluster, helm)

    def stopped(_release: Release) -> None:
        given.stop.ask()
        raise ProgramError("helm uninstall failed (ended by signal 15)")

    unmake, helm.on_uninstall = helm.on_uninstall, stopped
    with pytest.raises(StoppedError):
        run(given)
    helm.on_uninstall = unmake

    assert run(ports(cluster, helm)).cleanup is Cleanup.CLEAN
    assert left(cluster) == []
