"""The last task of an installation."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.port import Listing
from scheduler.errors import (
    ConflictError,
    DigestMismatchError,
    ForbiddenError,
    InvalidInputError,
    ProgramError,
)
from scheduler.helm.fake import FakeHelm, Release
from scheduler.helm.port import ReleaseState
from scheduler.installation import deployment
from scheduler.installation.deployment import Order, Ports
from scheduler.model.types import Manifest
from scheduler.release.stop import Stop
from tests.unit.installation.clock import Clock, InstantStop
from tests.unit.installation.objects import NAMESPACE, RELEASE

PUSH, PULL = "10.0.0.1:5000", "registry.example.com"
DIGEST = "sha256:" + "1" * 64
IMAGES = {"scheduling-server": f"{PUSH}/modelops/scheduling-server@{DIGEST}"}
VALUES = {"global": {"render": "builds", "logLevel": "debug"}, "access": {"viewers": ["a"]}}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "modelops"
    folder.mkdir()
    (folder / "Chart.yaml").write_text("name: modelops")
    return folder


def order(chart: Path, values: object = VALUES, **given: Any) -> Order:
    file = chart.parent / "values.json"
    file.write_text(json.dumps(values))
    digest = "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
    return Order(
        **{
            "release": RELEASE,
            "namespace": NAMESPACE,
            "chart": chart,
            "values": file,
            "values_digest": digest,
            "registry": PUSH,
            "pull_registry": PULL,
            "images": IMAGES,
            **given,
        }
    )


def ports(helm: FakeHelm, cluster: FakeCluster | None = None, *, stop: Stop | None = None) -> Ports:
    stop = stop or InstantStop(Clock(), lambda: None)
    return Ports(cluster=cluster or FakeCluster(), helm=helm, stop=stop, watch_seconds=0.01)


def test_the_applications_get_the_platforms_values_its_name_and_the_images_that_nodes_pull(chart: Path) -> None:
    helm = FakeHelm()

    said = deployment.deploy(order(chart), ports=ports(helm))

    assert said == "modelops-apps is deployed, revision 1"
    assert helm.values("modelops-apps", namespace=NAMESPACE) == {
        "global": {
            "render": "applications",
            "logLevel": "debug",
            "platform": {"name": RELEASE},
            "images": {"scheduling-server": f"{PULL}/modelops/scheduling-server@{DIGEST}"},
        },
        "access": {"viewers": ["a"]},
    }


def test_without_builds_the_values_name_the_images(chart: Path) -> None:
    given = {"global": {"images": {"scheduling-server": f"elsewhere/x@{DIGEST}"}}}

    values = deployment.applied(order(chart, given, images={}, registry="", pull_registry=""))

    assert values["global"]["images"] == given["global"]["images"]


def test_an_image_of_a_chart_that_is_switched_off_is_not_deployed(chart: Path) -> None:
    names = ("scheduling-server", "scoring-server-pmml", "scoring-server-python", "streaming-runtime", "bento")
    images = {name: f"elsewhere/{name}@{DIGEST}" for name in names}
    switches = {"scoring-server-pmml": {"enabled": False}, "scoring-server-python": {"enabled": True}}
    given = {"global": {"images": images}, **switches, "streaming-runtime": {"enabled": False}}

    values = deployment.applied(order(chart, given, images={}))

    # each job has a flow: what it runs on stays
    assert values["global"]["images"].keys() == {*names} - {"scoring-server-pmml"}


@pytest.mark.parametrize("images", [{}, {"scheduling-server": "elsewhere/x:latest"}])
def test_images_without_a_digest_are_refused(chart: Path, images: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError, match=r"global\.images"):
        deployment.applied(order(chart, {"global": {"images": images}}, images={}))


def test_values_that_changed_since_are_refused(chart: Path) -> None:
    with pytest.raises(DigestMismatchError, match="were changed after this installation began"):
        deployment.deploy(order(chart, values_digest=DIGEST), ports=ports(FakeHelm()))


@pytest.mark.parametrize(
    "state",
    [ReleaseState.PENDING_UPGRADE, ReleaseState.PENDING_ROLLBACK, ReleaseState.FAILED],
)
def test_what_a_killed_deployment_left_is_rolled_back_first(chart: Path, state: ReleaseState) -> None:
    helm = FakeHelm()
    for _ in range(2):
        deployment.deploy(order(chart), ports=ports(helm))
    helm.put(helm.releases[NAMESPACE, "modelops-apps"], state=state)
    helm.calls.clear()

    said = deployment.deploy(order(chart), ports=ports(helm))

    assert [verb for verb, _ in helm.calls] == ["status", "rollback", "upgrade"]
    assert said == "modelops-apps is deployed, revision 4"


@pytest.mark.parametrize("state", [ReleaseState.PENDING, ReleaseState.FAILED, ReleaseState.UNINSTALLING])
def test_a_first_revision_that_a_killed_deployment_left_is_removed_first(chart: Path, state: ReleaseState) -> None:
    helm = FakeHelm()
    deployment.deploy(order(chart), ports=ports(helm))
    helm.put(helm.releases[NAMESPACE, "modelops-apps"], state=state)

    said = deployment.deploy(order(chart), ports=ports(helm))

    assert ("uninstall", "modelops-apps") in helm.calls
    assert said == "modelops-apps is deployed, revision 1"


def test_what_is_not_ready_is_told_and_the_revision_before_is_back(chart: Path) -> None:
    helm, cluster = FakeHelm(), FakeCluster()
    deployment.deploy(order(chart), ports=ports(helm, cluster))
    labels = {"app.kubernetes.io/instance": RELEASE}
    message = 'pods "x" is forbidden: exceeded quota: small'
    conditions = [{"type": "ReplicaFailure", "status": "True", "message": message}]
    metadata = {"name": "modelops-scheduling-server", "namespace": NAMESPACE, "labels": labels}
    cluster.put({"kind": "Deployment", "metadata": metadata, "status": {"conditions": conditions}})

    def late(_: Release) -> None:
        cluster.calls.clear()
        while ("list", "Pod") not in cluster.calls or ("list", "Deployment") not in cluster.calls:
            time.sleep(0.005)
        time.sleep(0.02)
        raise ProgramError("helm upgrade failed: context deadline exceeded")

    helm.on_upgrade = late
    with pytest.raises(ProgramError, match=r"scheduling-server may not have its pod: .*exceeded quota: small"):
        deployment.deploy(order(chart), ports=ports(helm, cluster))
    status = helm.status("modelops-apps", namespace=NAMESPACE)
    assert status is not None
    assert (status.state, status.revision) == (ReleaseState.DEPLOYED, 3)


SERVER = {
    "kind": "Deployment",
    "metadata": {"name": "server"},
    "spec": {"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "1", "memory": "512Mi"}}}]}}},
}


def quota(**hard: str) -> Manifest:
    bounds = {key.replace("_", "."): value for key, value in hard.items()}
    return {"kind": "ResourceQuota", "metadata": {"name": "small", "namespace": NAMESPACE}, "spec": {"hard": bounds}}


def test_what_no_quota_could_ever_hold_is_told_before_anything_is_changed(chart: Path) -> None:
    helm, cluster = FakeHelm(render=lambda *_: [SERVER, SERVER]), FakeCluster()
    cluster.put(quota(pods="1", limits_memory="600Mi", limits_cpu="2"))

    with pytest.raises(InvalidInputError, match="nothing was changed") as refusal:
        deployment.deploy(order(chart), ports=ports(helm, cluster))

    assert [str(problem) for problem in refusal.value.problems] == [
        f"quota 'small' of namespace '{NAMESPACE}': the servers need pods 2, and it allows 1",
        f"quota 'small' of namespace '{NAMESPACE}': the servers need limits.memory 1024Mi, and it allows 600Mi",
    ]
    assert {verb for verb, _ in helm.calls} == {"template"}


def test_what_a_quota_could_hold_is_tried(chart: Path) -> None:
    helm, cluster = FakeHelm(render=lambda *_: [SERVER, SERVER]), FakeCluster()
    cluster.put(quota(pods="2", limits_memory="1Gi"))
    cluster.put({**quota(pods="0"), "metadata": {"name": "elsewhere", "namespace": "other"}})

    assert deployment.deploy(order(chart), ports=ports(helm, cluster)) == "modelops-apps is deployed, revision 1"


class Unseen(FakeCluster):
    """Shows no quotas."""

    def list(self, kind: str, *args: Any, **more: Any) -> Listing:
        if kind == "ResourceQuota":
            raise ForbiddenError("resourcequotas is forbidden")
        return super().list(kind, *args, **more)


def test_quotas_that_may_not_be_seen_hold_nobody_up(chart: Path) -> None:
    cluster = Unseen()

    assert deployment.deploy(order(chart), ports=ports(FakeHelm(), cluster)) == "modelops-apps is deployed, revision 1"


def test_a_busy_record_is_tried_again_and_not_for_ever(chart: Path) -> None:
    helm = FakeHelm()
    left = [2]

    def busy(_: Release) -> None:
        if left[0]:
            left[0] -= 1
            raise ConflictError("another operation (install/upgrade/rollback) is in progress")

    helm.on_upgrade = busy
    deployment.deploy(order(chart), ports=ports(helm))
    left[0] = 3
    with pytest.raises(ConflictError):
        deployment.deploy(order(chart), ports=ports(helm))
