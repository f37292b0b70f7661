"""What holds for every object of every chart, whichever values render it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scheduler import assets, names
from scheduler.preprocess import resources
from tests.charts import render, restricted

pytestmark = pytest.mark.helm

CI_FILES = [file for path in render.CHARTS for file in render.ci_files(path)]
CLUSTER_SCOPED = {"Namespace", "PriorityClass", "ClusterRole", "ClusterRoleBinding"}


def file_id(file: Path) -> str:
    return f"{file.parent.parent.name}-{file.stem}"


@pytest.mark.parametrize("file", CI_FILES, ids=file_id)
def test_lint_has_nothing_to_say(file: Path) -> None:
    place = ["--kube-version", render.KUBERNETES, "--namespace", "staging"]
    said = render.helm("lint", "--strict", *place, str(file.parent.parent), "--values", str(file))
    assert "WARNING" not in said
    assert "ERROR" not in said


@pytest.mark.parametrize("file", CI_FILES, ids=file_id)
def test_no_object_is_rendered_twice(file: Path) -> None:
    found = [
        (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in render.ci_objects(file)
    ]
    assert len(found) == len(set(found))


def test_every_pod_meets_pod_security_restricted() -> None:
    refused = {name: found for name, pod in _pods() if (found := restricted.violations(pod))}
    assert refused == {}


def test_every_pod_runs_as_the_one_user_that_owns_local_volumes() -> None:
    for name, pod in _pods():
        context = pod["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (10001, 10001, 10001), name


def test_every_container_has_requests_and_limits() -> None:
    for name, pod in _pods():
        for container in render.containers(pod):
            for kind in ("requests", "limits"):
                assert container["resources"][kind].keys() >= {"cpu", "memory"}, f"{name}/{container['name']}"
            asked, most = (container["resources"][kind] for kind in ("requests", "limits"))
            assert all(resources.quantity(asked[unit]) <= resources.quantity(most[unit]) for unit in asked), name


def test_every_container_has_a_read_only_root_and_an_image_by_digest() -> None:
    for name, pod in _pods():
        for container in render.containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"]), name


def test_every_pod_says_what_kubernetes_would_assume() -> None:
    for name, pod in _pods():
        assert pod["enableServiceLinks"] is False, name
        assert isinstance(pod["automountServiceAccountToken"], bool), name
        assert isinstance(pod["terminationGracePeriodSeconds"], int), name
        assert pod["serviceAccountName"] != "default", name
        assert all(volume["emptyDir"].get("sizeLimit") for volume in pod["volumes"] if "emptyDir" in volume), name


def test_every_container_that_serves_has_all_probes() -> None:
    for name, pod in _pods():
        for container in (one for one in pod["containers"] if "ports" in one):
            assert container.keys() >= {"startupProbe", "readinessProbe", "livenessProbe"}, name
            ports = {port["name"] for port in container["ports"]}
            assert {container[probe]["httpGet"]["port"] for probe in container if probe.endswith("Probe")} <= ports, (
                name
            )


def test_nothing_takes_a_secret_but_by_reference() -> None:
    for name, manifest in render.everything():
        assert manifest["kind"] != "Secret", name
    for name, pod in _pods():
        assert not [volume for volume in pod["volumes"] if "secret" in volume], name
        for container in render.containers(pod):
            assert "envFrom" not in container, name


def test_every_object_is_labelled() -> None:
    for name, manifest in render.everything():
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "modelops", name
        assert labels["app.kubernetes.io/managed-by"] == "Helm", name
        assert labels.keys() >= {f"app.kubernetes.io/{key}" for key in ("name", "instance", "component", "version")}, (
            name
        )


def test_every_name_and_label_is_within_the_limits_of_kubernetes() -> None:
    for name, manifest in render.everything():
        assert len(manifest["metadata"]["name"]) <= 63, name
        for value in manifest["metadata"]["labels"].values():
            assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", value), (name, value)


def test_every_selector_selects_its_own_pods() -> None:
    for file in CI_FILES:
        objects = render.ci_objects(file)
        for manifest in render.of_kind(objects, "Deployment"):
            wanted = manifest["spec"]["selector"]["matchLabels"]
            assert wanted.items() <= manifest["spec"]["template"]["metadata"]["labels"].items()
        pods = [template["metadata"]["labels"] for _, template in render.pod_templates(objects)]
        for service in render.of_kind(objects, "Service"):
            assert len([labels for labels in pods if service["spec"]["selector"].items() <= labels.items()]) == 1


def test_every_namespaced_object_says_its_namespace() -> None:
    for name, manifest in render.everything():
        assert ("namespace" in manifest["metadata"]) == (manifest["kind"] not in CLUSTER_SCOPED), (
            name,
            manifest["kind"],
        )


def test_two_platforms_share_no_cluster_scoped_name() -> None:
    values = render.ci_values(render.PLATFORM, "minimal")
    one = render.platform(values, release="one", namespace="two-three")
    other = render.platform(
        {**values, "global": {**values["global"], "environments": ["other"]}}, release="three", namespace="one-two"
    )
    first, second = (
        {(item["kind"], item["metadata"]["name"]) for item in found if item["kind"] in CLUSTER_SCOPED}
        for found in (one, other)
    )
    assert first & second == set()
    assert first


def test_templates_are_short_and_evaluate_no_values() -> None:
    for file in assets.charts().rglob("templates/**/*"):
        if file.is_file():
            text = file.read_text()
            assert len(text.splitlines()) <= (80 if file.suffix == ".yaml" else 125), file
            assert not re.search(r"\btpl\s", text), f"{file}: values are data, never templates"


def test_label_keys_are_those_of_the_package() -> None:
    known = {value for value in vars(names).values() if isinstance(value, str)}
    for name, manifest in render.everything():
        template = manifest.get("spec", {}).get("template", {}).get("metadata", {})
        for place in (manifest["metadata"], template):
            used = {*place.get("labels", {}), *place.get("annotations", {})}
            assert {key for key in used if key.startswith(names.DOMAIN)} <= known, name


def _pods() -> list[tuple[str, Mapping[str, Any]]]:
    found = [
        (f"{file_id(file)}:{name}", template["spec"])
        for file in CI_FILES
        for name, template in render.pod_templates(render.ci_objects(file))
    ]
    assert found
    return found
