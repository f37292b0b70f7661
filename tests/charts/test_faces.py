"""A platform is two releases of the same charts: what one of them refers to stands in the other under the same name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from scheduler.model.types import Manifest
from tests.charts import render

pytestmark = pytest.mark.helm

APPLICATION_KINDS: Final = {"Deployment", "Service", "ConfigMap", "PersistentVolumeClaim", "NetworkPolicy"}
RIGHTS: Final = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "PriorityClass"}
GIVEN: Final = ("minimal", "everything", "existing", "prebuilt")


def key(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


@pytest.fixture(name="values", params=GIVEN)
def given(request: pytest.FixtureRequest) -> dict[str, Any]:
    return render.ci_values(render.PLATFORM, request.param)


@pytest.fixture(name="builds")
def first(values: dict[str, Any]) -> tuple[Manifest, ...]:
    return render.platform(values)


@pytest.fixture(name="applications")
def second(values: dict[str, Any]) -> tuple[Manifest, ...]:
    return render.applications(values)


def test_the_applications_bring_no_right_and_nothing_outside_the_platforms_namespace(
    applications: tuple[Manifest, ...],
) -> None:
    assert {item["kind"] for item in applications} <= APPLICATION_KINDS
    assert {item["metadata"]["namespace"] for item in applications} == {"modelops"}


def test_no_object_stands_in_both_releases(builds: tuple[Manifest, ...], applications: tuple[Manifest, ...]) -> None:
    assert {key(item) for item in builds} & {key(item) for item in applications} == set()
    assert not [item for item in builds if item["kind"] in {"Deployment", "Service", "PersistentVolumeClaim"}]


def test_the_applications_are_named_by_the_platform_not_by_their_release(values: dict[str, Any]) -> None:
    images = {name: f"registry.example.com/modelops/{name}@sha256:{render.DIGEST}" for name in render.PROGRAMS}
    shared = {**values["global"], "images": values["global"].get("images") or images}
    own = {**values, "global": {**shared, "render": "applications", "platform": {"name": ""}}}
    assert render.platform(own, release="scores") == render.applications(values, release="scores")


def test_every_account_of_a_pod_is_made(builds: tuple[Manifest, ...], applications: tuple[Manifest, ...]) -> None:
    made = {key(item) for item in builds}
    for manifest in (*builds, *applications):
        template = manifest["spec"]["template"] if manifest["kind"] in {"Deployment", "Job"} else None
        if template is not None:
            account = template["spec"]["serviceAccountName"]
            assert ("ServiceAccount", manifest["metadata"]["namespace"], account) in made, key(manifest)


def test_every_binding_binds_what_is_there(builds: tuple[Manifest, ...]) -> None:
    made = {key(item) for item in builds}
    ours = {item["metadata"]["name"] for item in builds if item["kind"] == "ServiceAccount"}
    for manifest in builds:
        if manifest["kind"] not in {"RoleBinding", "ClusterRoleBinding"}:
            continue
        reference = manifest["roleRef"]
        namespace = manifest["metadata"].get("namespace", "") if reference["kind"] == "Role" else ""
        assert (reference["kind"], namespace, reference["name"]) in made
        for subject in manifest["subjects"]:
            if subject["kind"] == "ServiceAccount" and subject["name"] in ours:
                assert ("ServiceAccount", subject["namespace"], subject["name"]) in made


def test_the_servers_are_told_what_the_other_release_holds(
    builds: tuple[Manifest, ...], applications: tuple[Manifest, ...]
) -> None:
    services = {item["metadata"]["name"] for item in render.of_kind(applications, "Service")}
    classes = {item["metadata"]["name"] for item in render.of_kind(builds, "PriorityClass")}
    platforms = {
        item["metadata"]["labels"]["modelops.dev/platform"]
        for item in builds
        if "modelops.dev/platform" in item["metadata"]["labels"]
    }
    variables = {
        item["name"]: item.get("value", "")
        for manifest in render.of_kind(applications, "Deployment")
        for item in manifest["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert {variables["MODELOPS_TASK_PRIORITY_CLASS"]} == classes
    assert {variables["MODELOPS_PLATFORM"]} == platforms
    for name in ("MODELOPS_SERVER_URL", "MODELOPS_SCHEDULING_URL"):
        if variables[name] != "https://artifacts.example.com":  # a store of others, in one of the ci files
            host = variables[name].removeprefix("http://").split(":")[0].split(".")
            assert host[0] in services
            assert host[1] == "modelops"


def test_both_releases_carry_the_same_labels(builds: tuple[Manifest, ...], applications: tuple[Manifest, ...]) -> None:
    instances = {item["metadata"]["labels"]["app.kubernetes.io/instance"] for item in (*builds, *applications)}
    assert instances == {"modelops"}


def test_the_installation_refers_only_to_what_is_there(builds: tuple[Manifest, ...]) -> None:
    made = {key(item) for item in builds}
    assert {found for found in _references(builds) if found not in made} == set()


def _references(builds: tuple[Manifest, ...]) -> Iterator[tuple[str, str, str]]:
    (pipeline,) = [
        item for item in render.of_kind(builds, "Pipeline") if item["metadata"]["name"].endswith("installation")
    ]
    namespace = pipeline["metadata"]["namespace"]
    for task in pipeline["spec"]["tasks"]:
        yield "Task", namespace, task["taskRef"]["name"]
    holder = render.one(builds, "ConfigMap", "modelops-installation", namespace="modelops")
    run = json.loads(holder["data"]["run.json"])
    assert run["metadata"]["namespace"] == namespace
    yield "Pipeline", namespace, run["spec"]["pipelineRef"]["name"]
    yield "ServiceAccount", namespace, run["spec"]["taskRunTemplate"]["serviceAccountName"]
    for one in run["spec"]["taskRunSpecs"]:
        yield "ServiceAccount", namespace, one["serviceAccountName"]
    for one in run["spec"]["workspaces"]:
        yield "ConfigMap", namespace, one["configMap"]["name"]
    for job in render.of_kind(builds, "Job"):
        for volume in job["spec"]["template"]["spec"]["volumes"]:
            if "configMap" in volume:
                yield "ConfigMap", "modelops", volume["configMap"]["name"]


def test_an_administrator_and_somebody_else_make_together_what_one_would_make_alone() -> None:
    given = render.ci_values(render.PLATFORM, "prepared")
    parts = {
        part: render.platform(
            {**given, "global": {**given["global"], "prerequisites": part}},
            release="scores" if part != "only" else "scores-prerequisites",
        )
        for part in ("include", "only", "exclude")
    }
    names = {part: {key(item) for item in found} for part, found in parts.items()}
    assert names["only"] & names["exclude"] == set()
    assert names["only"] | names["exclude"] == names["include"]
    without_digest = [item for item in (*parts["only"], *parts["exclude"]) if item["kind"] in RIGHTS | {"Namespace"}]
    assert all(item in parts["include"] for item in without_digest)


def test_without_a_cluster_administrator_nothing_is_made_that_needs_one() -> None:
    given = render.ci_values(render.PLATFORM, "prepared")
    kinds = {item["kind"] for item in render.platform(given, release="scores")}
    # Kubernetes' namespaced role `admin`, with Tekton's own roles, may make these
    assert kinds == {"ConfigMap", "Job", "NetworkPolicy", "Pipeline", "Task"}
    prepared = {item["kind"] for item in render.platform(render.ci_values(render.PLATFORM, "prerequisites"))}
    assert prepared == {*RIGHTS, "Namespace", "LimitRange", "ResourceQuota"}
