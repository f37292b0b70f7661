"""Globals of the platform: each is read by something, and what it says arrives where it is needed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from scheduler import assets
from scheduler.model.types import Manifest
from scheduler.preprocess.resources import quantity
from tests.charts import render, schemas

pytestmark = pytest.mark.helm

OTHER: Final[Mapping[str, Any]] = {
    "render": "applications",
    "platform.name": "other",
    "prerequisites": "exclude",
    "size": "small",
    "registry.pull": "pull.example.com",
    "registry.push": "push.example.com",
    "imagePullSecrets": [{"name": "another"}],
    "logLevel": "error",
    "trace.endpoint": "http://elsewhere:4317",
    "trace.sampleRatio": 0.75,
    "artifactStore.url": "https://models.example.com",
    "gitServer.url": "https://source.example.com",
    "images": {name: f"elsewhere/{name}@sha256:{'b' * 64}" for name in render.PROGRAMS},
    "environments": ["staging", "trial"],
    "caBundle.configMap": "another",
    "caBundle.key": "another.pem",
    "proxy.http": "http://another.example.com:3128",
    "proxy.https": "http://another.example.com:3128",
    "proxy.except": "10.0.0.0/8",
    "build.enabled": False,
    "build.tools": f"tools@sha256:{'b' * 64}",
    "build.base": "elsewhere.example.com/base:next",
    "build.parallel": 1,
    "build.namespace": "elsewhere",
    "build.createNamespace": False,
    "build.settingsSecret": "another",
    "build.pushSecret": "another",
    "build.stepMinutes": 7,
    "build.storage": "7Gi",
    "build.resources": {"requests": {"cpu": "7m"}, "limits": {"cpu": "7"}},
    "build.quota": {"pods": "7"},
    "build.keepRuns": 7,
    "build.archives.cidrs": ["198.51.100.0/24"],
    "build.archives.ports": [7],
    "oidc.issuer": "https://another.example.com",
    "oidc.audience": "another",
    "oidc.usernameClaim": "upn",
    "oidc.usernamePrefix": "another:",
    "oidc.groupsClaim": "teams",
    "oidc.groupsPrefix": "another-",
    "oidc.algorithms": ["PS512"],
    "oidc.caBundle": "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n",
    "apiServer.cidrs": ["198.51.100.1/32"],
    "apiServer.ports": [7],
}
"""A value for each global that differs from the one in ci/everything-values.yaml."""
UNRENDERED: Final = {"tekton.check"}
"""Only refuses; test_refusals.py."""
CA: Final = "/etc/modelops/ca/ca.crt"


def _leaves(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, value in values.items():
        here = f"{path}{key}"
        if isinstance(value, Mapping) and value and here not in OTHER:
            yield from _leaves(value, f"{here}.")
        else:
            yield here


def test_every_global_has_a_test() -> None:
    assert {*_leaves(schemas.defaults(render.PLATFORM)["global"])} == OTHER.keys() | UNRENDERED


@pytest.fixture(name="plain", scope="module")
def unchanged() -> list[Any]:
    return _without_copies(_everything())


@pytest.mark.parametrize("path", OTHER)
def test_every_global_is_read_by_something(path: str, plain: list[Any]) -> None:
    values = _everything()
    *above, last = path.split(".")
    place = values["global"]
    for key in above:
        place = place[key]
    assert place[last] != OTHER[path]
    place[last] = OTHER[path]
    if path == "environments":
        values["data-channel"]["register"] = []
        values["test-data"]["environments"] = []
    assert _without_copies(values) != plain


def _everything() -> dict[str, Any]:
    return render.ci_values(render.PLATFORM, "everything")


def _without_copies(values: dict[str, Any]) -> list[Any]:
    """What both releases render, but for the copy of the values and the digests over it."""
    both = (*render.platform(values), *render.applications(values))
    found = [item for item in both if not item["metadata"]["name"].endswith("-platform-values")]
    text = json.dumps(found)
    for digest in {one for item in found for one in _digests(item)}:
        text = text.replace(digest, "")
    made: list[Any] = json.loads(text)
    return made


def _digests(manifest: Manifest) -> Iterator[str]:
    if manifest["kind"] == "Pipeline":
        for task in manifest["spec"]["tasks"]:
            yield from (one["value"] for one in task["params"] if one["name"] == "values-digest")
    if manifest["kind"] == "Job":
        arguments = manifest["spec"]["template"]["spec"]["containers"][0]["args"]
        yield from (one.removeprefix("--digest=") for one in arguments if one.startswith("--digest="))


def _containers(objects: tuple[Manifest, ...]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Name, pod and container of the servers and of the builds: those that speak with what lies outside the cluster."""
    for item in objects:
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            yield from ((item["metadata"]["name"], pod, one) for one in pod["containers"])
        if item["kind"] == "Task" and item["metadata"]["namespace"] == "images":
            for step in item["spec"]["steps"]:
                if step["name"] in {"build", "compile"}:
                    yield item["metadata"]["name"], item["spec"], step


@pytest.fixture(name="full", scope="module")
def most() -> tuple[Manifest, ...]:
    return render.both(_everything())


def test_certificates_are_mounted_where_programs_are_told_to_look(full: tuple[Manifest, ...]) -> None:
    found = {name for name, _, _ in _containers(full)}
    assert found == {
        "modelops-scheduling-server",
        "modelops-modelops-server",
        "modelops-image-build",
        "compile-bento",
    }
    for name, pod, container in _containers(full):
        variables = {one["name"]: one.get("value") for one in container["env"]}
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"):
            assert variables[variable] == CA, name
        (mount,) = [one for one in container["volumeMounts"] if one["name"] == "ca"]
        (volume,) = [one for one in pod["volumes"] if one["name"] == "ca"]
        assert mount == {"name": "ca", "mountPath": "/etc/modelops/ca", "readOnly": True}, name
        assert volume["configMap"] == {"name": "company-ca", "items": [{"key": "bundle.pem", "path": "ca.crt"}]}, name


def test_the_proxy_is_told_in_both_spellings_and_never_asked_for_what_lies_in_the_cluster(
    full: tuple[Manifest, ...],
) -> None:
    for name, _, container in _containers(full):
        variables = {one["name"]: one.get("value") for one in container["env"]}
        assert variables["HTTP_PROXY"] == variables["http_proxy"] == "http://proxy.example.com:3128", name
        assert variables["HTTPS_PROXY"] == variables["https_proxy"] == "http://secure-proxy.example.com:3129", name
        assert variables["NO_PROXY"] == variables["no_proxy"], name
        direct = (variables["NO_PROXY"] or "").split(",")
        assert {"localhost", ".svc", "$(KUBERNETES_SERVICE_HOST)", ".example.com"} <= {*direct}, name


@pytest.mark.parametrize(
    ("proxy", "port"),
    [
        ("http://[fd00::1]", 80),
        ("https://[fd00::1]", 443),
        ("http://[fd00::1]:3128", 3128),
        ("http://192.0.2.1:3128/", 3128),
        ("http://proxy.example.com", 80),
    ],
)
def test_the_network_lets_through_to_a_proxy_however_it_is_written(proxy: str, port: int) -> None:
    values = render.ci_values(render.PLATFORM, "minimal")
    values["global"]["proxy"] = {"http": proxy}
    policy = render.one(render.both(values), "NetworkPolicy", "modelops-scheduling-server", namespace="modelops")
    assert policy["spec"]["egress"][-1] == {"ports": [{"protocol": "TCP", "port": port}]}


def test_without_proxy_and_certificates_nothing_is_said_of_them() -> None:
    text = yaml.safe_dump_all(render.both(render.ci_values(render.PLATFORM, "minimal")))
    assert "PROXY" not in text
    assert "SSL_CERT_FILE" not in text


def _requests(pod: Mapping[str, Any], unit: str) -> float:
    """What a scheduler reserves for the pod."""
    first, running = (
        [quantity(one["resources"]["requests"][unit]) for one in pod.get(key, ())]
        for key in ("initContainers", "containers")
    )
    return float(max([sum(running), *first]))


def _reserved(objects: tuple[Manifest, ...], unit: str) -> float:
    """Of all Deployments and of the Jobs that are no hooks."""
    total = 0.0
    for item in objects:
        if item["kind"] in {"Deployment", "Job"} and "helm.sh/hook" not in item["metadata"].get("annotations", {}):
            pods = item["spec"].get("replicas", item["spec"].get("parallelism", 1))
            total += pods * _requests(item["spec"]["template"]["spec"], unit)
    return total


def test_two_small_platforms_and_one_job_fit_into_two_cores() -> None:
    platform = render.both(render.ci_values(render.PLATFORM, "prebuilt"))
    job = render.job(yaml.safe_load((assets.root() / "tests/golden/flight-delay/values.yaml").read_text()))
    tasks = [yaml.safe_load(file.read_text()) for file in sorted((assets.tekton() / "tasks").glob("*.yaml"))]
    task_pods = [
        {"containers": [{"resources": step["computeResources"]} for step in task["spec"]["steps"]]} for task in tasks
    ]
    hooks = [template["spec"] for name, template in render.pod_templates(platform) if name.startswith("Job/")]
    cores = 2 * _reserved(platform, "cpu") + _reserved(job, "cpu")
    # at the worst moment a hook, and one task pod of the job beside its scoring
    cores += max(_requests(pod, "cpu") for pod in task_pods) + max(_requests(pod, "cpu") for pod in hooks)
    assert 0.1 < cores <= 2, cores


def test_a_larger_size_never_gives_less() -> None:
    found = [_sizes(size) for size in ("small", "medium", "large")]
    for less, more in itertools.pairwise(found):
        assert less.keys() == more.keys()
        assert all(less[key] <= more[key] for key in less)
        assert less != more


def _sizes(size: str) -> dict[tuple[str, ...], float]:
    """Every number that a size decides: requests and limits of the servers and of builds, hard limits of quotas."""
    values = render.ci_values(render.PLATFORM, "minimal")
    values["global"]["size"] = size
    found: dict[tuple[str, ...], float] = {}
    for item in render.both(values):
        name = item["metadata"]["name"]
        if item["kind"] == "ResourceQuota":
            found |= {(name, key): float(quantity(value)) for key, value in item["spec"]["hard"].items()}
        containers = item["spec"]["template"]["spec"]["containers"] if item["kind"] == "Deployment" else ()
        steps = item["spec"]["steps"] if item["kind"] == "Task" else ()
        for resources in (*(one["resources"] for one in containers), *(one["computeResources"] for one in steps)):
            for kind in ("requests", "limits"):
                found |= {(name, kind, unit): float(quantity(value)) for unit, value in resources[kind].items()}
    return found


def test_what_is_given_lies_over_the_size() -> None:
    values = render.ci_values(render.PLATFORM, "minimal")
    values["scheduling-server"] = {"resources": {"limits": {"memory": "7Gi"}}}
    values["environment"] = {"quota": {"jobs": {"pods": "7"}, "objects": None}}
    objects = render.both(values)
    server = render.one(objects, "Deployment", "modelops-scheduling-server")["spec"]["template"]["spec"]["containers"][
        0
    ]
    assert server["resources"]["limits"] == {"cpu": "2", "memory": "7Gi"}
    quotas = {item["metadata"]["name"]: item["spec"]["hard"] for item in render.of_kind(objects, "ResourceQuota")}
    assert (quotas["modelops-jobs"]["pods"], quotas["modelops-jobs"]["requests.cpu"]) == ("7", "8")
    assert quotas.keys() == {"modelops-jobs", "modelops-tasks", "modelops-builds"}
