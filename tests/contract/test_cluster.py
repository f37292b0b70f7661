"""What every `Cluster` does, whatever is behind it: one suite for the fake and for the real API server."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from scheduler.cluster.fake import FakeCluster, Rule
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import Caller, Cluster, Event, EventType
from scheduler.errors import ConflictError, InvalidInputError, NotFoundError, SchedulerError
from scheduler.model.types import Manifest
from tests import real_cluster

pytestmark = pytest.mark.timeout(60)


def _fake_cluster() -> Cluster:
    return FakeCluster(rules={Rule(subject="operator", verb="create", resource="jobs", namespace="staging")})


def _live_cluster() -> Cluster:
    return KubernetesCluster.from_kubeconfig(real_cluster.kubeconfig())


@pytest.fixture(
    params=[pytest.param(_fake_cluster, id="fake"), pytest.param(_live_cluster, id="live", marks=pytest.mark.e2e)]
)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    made: Cluster = request.param()
    yield made
    if isinstance(made, KubernetesCluster):
        made.close()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete("Namespace", name)


def config_map(namespace: str, name: str = "a", **more: object) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"colour": "red"}},
        "data": {"key": "1"},
        **more,
    }


def version_of(manifest: Manifest) -> str:
    version: str = manifest["metadata"]["resourceVersion"]
    return version


def test_what_is_created_can_be_read(cluster: Cluster, namespace: str) -> None:
    created = cluster.create(config_map(namespace))

    found = cluster.get("ConfigMap", "a", namespace)

    assert found["data"] == {"key": "1"}
    assert (found["kind"], found["apiVersion"]) == ("ConfigMap", "v1")
    assert found["metadata"]["uid"] == created["metadata"]["uid"]
    assert found["metadata"]["creationTimestamp"].endswith("Z")


def test_a_name_is_taken_once(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace))

    with pytest.raises(ConflictError, match="already exists"):
        cluster.create(config_map(namespace))


def test_only_one_of_many_creates_wins(cluster: Cluster, namespace: str) -> None:
    outcomes: list[str] = []

    def create() -> None:
        try:
            cluster.create(config_map(namespace))
        except ConflictError:
            outcomes.append("taken")
        else:
            outcomes.append("created")

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes) == ["created"] + ["taken"] * 7


@pytest.mark.parametrize("verb", ["get", "delete", "patch"])
def test_what_is_absent_is_not_found(cluster: Cluster, namespace: str, verb: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "get": lambda: cluster.get("ConfigMap", "absent", namespace),
        "delete": lambda: cluster.delete("ConfigMap", "absent", namespace),
        "patch": lambda: cluster.patch("ConfigMap", "absent", namespace, {"data": {"key": "2"}}),
    }

    with pytest.raises(NotFoundError, match="absent"):
        calls[verb]()


def test_a_list_takes_what_bears_all_labels(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace, "a"))
    labels = {"colour": "blue", "shape": "round"}
    cluster.create(config_map(namespace, "b", metadata={"name": "b", "namespace": namespace, "labels": labels}))

    def names(wanted: dict[str, str | None]) -> list[str]:
        listing = cluster.list("ConfigMap", namespace, labels=wanted)
        assert {item["kind"] for item in listing} <= {"ConfigMap"}
        return sorted(item["metadata"]["name"] for item in listing)

    assert names({"colour": None}) == ["a", "b"]
    assert names({"colour": "red"}) == ["a"]
    assert names({"colour": None, "shape": "round"}) == ["b"]
    assert names({"shape": "square"}) == []


def test_a_list_that_may_lag_soon_tells_the_same(cluster: Cluster, namespace: str) -> None:
    for name in ("a", "b"):
        cluster.create(config_map(namespace, name))

    def names() -> list[str]:
        listing = cluster.list("ConfigMap", namespace, labels={"colour": "red"}, may_lag=True)
        return sorted(item["metadata"]["name"] for item in listing)

    deadline = time.monotonic() + 10
    while names() != ["a", "b"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_merge_patch_changes_and_removes(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace, data={"stays": "1", "goes": "1"}))

    cluster.patch("ConfigMap", "a", namespace, {"data": {"goes": None, "comes": "2"}})

    assert cluster.get("ConfigMap", "a", namespace)["data"] == {"stays": "1", "comes": "2"}


def test_a_patch_of_an_old_version_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    old = cluster.create(config_map(namespace))
    cluster.patch("ConfigMap", "a", namespace, {"data": {"key": "2"}})

    with pytest.raises(ConflictError):
        cluster.patch(
            "ConfigMap", "a", namespace, {"metadata": {"resourceVersion": version_of(old)}, "data": {"key": "3"}}
        )

    assert cluster.get("ConfigMap", "a", namespace)["data"] == {"key": "2"}


def test_a_json_patch_is_done_whole_or_not_at_all(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace))
    change = {"op": "replace", "path": "/data/key", "value": "2"}

    with pytest.raises(InvalidInputError):
        cluster.patch(
            "ConfigMap", "a", namespace, [change, {"op": "test", "path": "/data/key", "value": "other"}], type_="json"
        )
    with pytest.raises(InvalidInputError):
        cluster.patch("ConfigMap", "a", namespace, [change, {"op": "remove", "path": "/data/absent"}], type_="json")
    assert cluster.get("ConfigMap", "a", namespace)["data"] == {"key": "1"}

    steps = [{"op": "test", "path": "/data/key", "value": "1"}, {"op": "remove", "path": "/metadata/labels/colour"}]
    changed = cluster.patch("ConfigMap", "a", namespace, [change, *steps[1:]], type_="json")
    assert changed["data"] == {"key": "2"}
    assert "colour" not in changed["metadata"].get("labels", {})


def test_immutable_data_stays(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace, immutable=True))

    with pytest.raises(InvalidInputError, match="immutable"):
        cluster.patch("ConfigMap", "a", namespace, {"data": {"key": "2"}})

    labelled = cluster.patch("ConfigMap", "a", namespace, {"metadata": {"labels": {"colour": None}}})
    assert labelled["data"] == {"key": "1"}


def test_an_object_that_makes_no_sense_is_refused(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(InvalidInputError):
        cluster.create(config_map(namespace, metadata={"namespace": namespace}))


def test_a_delete_with_a_uid_spares_a_namesake(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace))

    with pytest.raises(ConflictError):
        cluster.delete("ConfigMap", "a", namespace, uid=str(uuid.uuid4()))

    uid = cluster.get("ConfigMap", "a", namespace)["metadata"]["uid"]
    cluster.delete("ConfigMap", "a", namespace, uid=uid)
    with pytest.raises(NotFoundError):
        cluster.get("ConfigMap", "a", namespace)


def test_a_delete_of_an_old_version_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    old = cluster.create(config_map(namespace))
    new = cluster.patch("ConfigMap", "a", namespace, {"data": {"key": "2"}})

    with pytest.raises(ConflictError):
        cluster.delete("ConfigMap", "a", namespace, resource_version=version_of(old))
    cluster.delete("ConfigMap", "a", namespace, resource_version=version_of(new))

    with pytest.raises(NotFoundError):
        cluster.get("ConfigMap", "a", namespace)


def test_what_an_object_owns_goes_with_it(cluster: Cluster, namespace: str) -> None:
    owner = cluster.create(config_map(namespace, "owner"))
    cluster.create(config_map(namespace, "owned"))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": owner["metadata"]["uid"],
        "controller": False,
        "blockOwnerDeletion": False,
    }
    cluster.patch("ConfigMap", "owned", namespace, {"metadata": {"ownerReferences": [reference]}})

    cluster.delete("ConfigMap", "owner", namespace)

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(NotFoundError):
            cluster.get("ConfigMap", "owned", namespace)
            time.sleep(0.2)
            continue
        return
    pytest.fail("the owned object is still there")


def test_a_watch_goes_on_where_a_list_ended(cluster: Cluster, namespace: str) -> None:
    cluster.create(config_map(namespace, "before"))
    listing = cluster.list("ConfigMap", namespace, labels={"colour": "red"})
    cluster.create(config_map(namespace, "a"))
    cluster.patch("ConfigMap", "a", namespace, {"data": {"key": "2"}})
    cluster.patch("ConfigMap", "before", namespace, {"metadata": {"labels": {"colour": "blue"}}})
    cluster.delete("ConfigMap", "a", namespace)

    events = cluster.watch(
        "ConfigMap",
        namespace,
        labels={"colour": "red"},
        resource_version=listing.resource_version,
        timeout_seconds=10,
    )
    seen = list(itertools.islice(_changes(events), 4))

    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "before"), ("DELETED", "a")]


def _changes(events: Iterator[Event]) -> Iterator[tuple[str, str]]:
    return (
        (event.type.value, event.manifest["metadata"]["name"]) for event in events if event.type != EventType.BOOKMARK
    )


def test_a_watch_tells_what_happens_while_it_lasts(cluster: Cluster, namespace: str) -> None:
    version = cluster.list("ConfigMap", namespace).resource_version
    timer = threading.Timer(0.5, lambda: cluster.create(config_map(namespace, "late")))
    timer.start()

    events = cluster.watch(
        "ConfigMap", namespace, labels={"colour": "red"}, resource_version=version, timeout_seconds=10
    )
    seen = next(_changes(events))

    timer.join(10)
    assert seen == ("ADDED", "late")


def test_a_watch_ends_after_its_time_and_says_how_far_it_came(cluster: Cluster, namespace: str) -> None:
    """What happens beside the watched objects shows as a bookmark, so that the next watch can go on from there."""
    listing = cluster.list("ConfigMap", namespace, labels={"colour": "blue"})
    started = time.monotonic()
    cluster.create(config_map(namespace, "red"))

    seen = list(
        cluster.watch(
            "ConfigMap",
            namespace,
            labels={"colour": "blue"},
            resource_version=listing.resource_version,
            timeout_seconds=6,
        )
    )

    assert 4 < time.monotonic() - started < 8
    assert {event.type for event in seen} == {EventType.BOOKMARK}
    assert int(version_of(seen[-1].manifest)) > int(listing.resource_version)


def test_the_status_is_not_the_submitters(cluster: Cluster, namespace: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": namespace},
        "spec": {
            "nodeSelector": {"nowhere": "x"},
            "automountServiceAccountToken": False,
            "containers": [{"name": "a", "image": "registry.example/none"}],
        },
        "status": {"phase": "Succeeded"},
    }
    _create_once_admitted(cluster, pod)

    patched = cluster.patch("Pod", "a", namespace, {"status": {"phase": "Succeeded"}})

    assert patched.get("status", {}).get("phase") != "Succeeded"


def _create_once_admitted(cluster: Cluster, manifest: Manifest) -> None:
    """A pod is refused until the controller manager has made the namespace's default ServiceAccount."""
    deadline = time.monotonic() + 30
    while True:
        try:
            cluster.create(manifest)
        except SchedulerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def test_a_token_is_good_for_its_audience_only(cluster: Cluster, namespace: str) -> None:
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa", "namespace": namespace}})
    token = cluster.request_token("sa", namespace, audience="modelops", seconds=600)

    caller = cluster.review_token(token.value, audiences=["modelops"])

    assert caller is not None
    assert caller.name == f"system:serviceaccount:{namespace}:sa"
    assert f"system:serviceaccounts:{namespace}" in caller.groups
    assert cluster.review_token(token.value, audiences=["other"]) is None
    assert cluster.review_token("garbage", audiences=["modelops"]) is None
    assert token.value not in repr(token)


def test_nobody_may_what_nobody_allowed(cluster: Cluster, namespace: str) -> None:
    stranger = Caller(name="stranger", groups=("system:authenticated",))

    assert not cluster.allowed(stranger, verb="create", resource="jobs", namespace=namespace)
    assert not cluster.allowed(stranger, verb="get", resource="jobs", subresource="log", namespace=namespace)


def test_an_unknown_kind_is_told_so(cluster: Cluster) -> None:
    with pytest.raises(NotFoundError, match="kind 'Unicorn' is not one"):
        cluster.list("Unicorn", "default")
