"""Where the modelops server keeps models: a volume, or an object store."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler import assets
from scheduler.artifacts.storage import Storage
from scheduler.model.types import Manifest
from scheduler.modelops_server.configuration import Configuration
from tests.charts import render
from tests.charts.servers import MODELOPS, SCHEDULING, container, environment

pytestmark = pytest.mark.helm

CHART = assets.subchart("modelops-server")


def test_models_come_from_the_platforms_own_store_unless_another_is_named(minimal: tuple[Manifest, ...]) -> None:
    url = environment(minimal, SCHEDULING)["MODELOPS_ARTIFACT_STORE_URL"]
    service = render.one(minimal, "Service", MODELOPS)
    port = service["spec"]["ports"][0]["port"]
    assert url == f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc:{port}"


def test_models_outlive_the_pod_and_the_release(minimal: tuple[Manifest, ...], full: tuple[Manifest, ...]) -> None:
    kept, given_up = (render.one(objects, "PersistentVolumeClaim", MODELOPS) for objects in (minimal, full))
    assert kept["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert "annotations" not in given_up["metadata"]
    assert given_up["spec"]["storageClassName"] == "fast"
    deployment = render.one(minimal, "Deployment", MODELOPS)["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
    volumes = {volume["name"]: volume for volume in deployment["template"]["spec"]["volumes"]}
    assert volumes["data"] == {"name": "data", "persistentVolumeClaim": {"claimName": MODELOPS}}


def test_a_claim_of_ones_own_is_used() -> None:
    objects = render.both(render.ci_values(render.PLATFORM, "existing"))
    assert render.of_kind(objects, "PersistentVolumeClaim") == ()
    volumes = render.one(objects, "Deployment", MODELOPS)["spec"]["template"]["spec"]["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "models"}} in volumes


def stored(**storage: Any) -> tuple[Manifest, ...]:
    """The modelops server's objects as its `ci` file for object stores has them, with these changes."""
    values = render.ci_values(CHART, "object-store")
    values["storage"] |= storage
    return render.chart(CHART, values=values, release="modelops", namespace="modelops")


def test_with_an_object_store_there_is_no_volume_and_pods_may_be_many() -> None:
    objects = stored()
    assert render.of_kind(objects, "PersistentVolumeClaim") == ()
    deployment = render.one(objects, "Deployment", MODELOPS)["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (2, {"type": "RollingUpdate"})
    pod = deployment["template"]["spec"]
    names_ = {volume["name"] for volume in pod["volumes"]}
    assert names_ == {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {"tmp", "modelops-token"}


def test_the_place_of_models_arrives_as_the_server_reads_it_and_credentials_by_reference_alone() -> None:
    given = container(stored(), MODELOPS)["env"]
    plain = {item["name"]: item["value"] for item in given if "value" in item}
    assert Configuration.from_environ(plain).storage == Storage(
        url="s3://models/platform", endpoint="http://s3.storage.svc:7070", region="eu-central-1"
    )
    references = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in given if "valueFrom" in item}
    assert references == {
        key: {"name": "models-store", "key": key, "optional": is_optional}
        for key, is_optional in (
            ("AWS_ACCESS_KEY_ID", False),
            ("AWS_SECRET_ACCESS_KEY", False),
            ("AWS_SESSION_TOKEN", True),
        )
    }
    without = container(stored(secretRef={"name": ""}), MODELOPS)["env"]
    assert [item for item in without if "valueFrom" in item] == []


def test_the_server_may_reach_its_object_store_and_no_other_place_of_the_cluster() -> None:
    def ways(**storage: Any) -> list[Any]:
        return list(render.one(stored(**storage), "NetworkPolicy", MODELOPS)["spec"]["egress"])

    inside = {
        "ports": [{"protocol": "TCP", "port": 7070}],
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "storage"}}}],
    }
    assert inside in ways()
    assert {"ports": [{"protocol": "TCP", "port": 443}]} in ways(endpoint="")


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ({"url": "file:///data"}, "storage.url: file:///data is no object store"),
        ({"url": "local:///data"}, "storage.url: local:///data is no object store"),
        ({"url": "memory://"}, "storage.url: memory:// is no object store"),
        ({"url": ""}, "replicas: 2 pods cannot write to one volume"),
        ({"url": ""}, "storage.endpoint: http://s3.storage.svc:7070 belongs to a storage.url of s3://"),
        ({"url": "gs://models"}, "storage.secretRef.name: models-store belongs to a storage.url of s3://"),
        ({"url": "s3://AKIA:hunter2@models"}, "/storage/url"),
        ({"endpoint": "https://AKIA:hunter2@s3.example.com"}, "/storage/endpoint"),
    ],
)
def test_a_place_that_is_none_is_refused(storage: dict[str, str], words: str) -> None:
    with pytest.raises(render.RefusedError) as caught:
        stored(**storage)
    assert words in str(caught.value)
