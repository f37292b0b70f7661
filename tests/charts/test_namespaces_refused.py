"""Namespaces that the platform's chart refuses before anything is made, each with the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from scheduler import names
from scheduler.environments import orders
from tests.charts import cluster, render
from tests.charts.test_refusals import minimal, refusal

pytestmark = pytest.mark.helm

PLATFORM: Final = "modelops.modelops"
ENVIRONMENT: Final = {names.PLATFORM: PLATFORM, names.ENVIRONMENT: "staging"}
HELMS: Final = {"app.kubernetes.io/managed-by": "Helm"}
OURS: Final = {"meta.helm.sh/release-name": "modelops", "meta.helm.sh/release-namespace": "modelops"}
LABEL: Final = (
    "kubectl label --overwrite namespace staging modelops.dev/environment=staging modelops.dev/platform="
    "modelops.modelops pod-security.kubernetes.io/enforce=restricted"
)
LABEL_BUILDS: Final = (
    "kubectl label --overwrite namespace {} modelops.dev/platform=modelops.modelops "
    "pod-security.kubernetes.io/enforce=baseline"
)


def test_a_namespace_of_another_platform_is_refused_and_ones_own_is_not() -> None:
    values = minimal()
    values["global"]["environments"] = ["staging", "production"]
    taken = {
        "staging": {names.PLATFORM: "other.scores"},
        "production": {names.PLATFORM: PLATFORM, **HELMS},
        "modelops-builds": {names.PLATFORM: "modelops.second"},
        "modelops": {names.PLATFORM: "third.scores"},
    }

    def belongs(name: str, platform: str) -> str:
        return (
            f"{name} belongs to the platform {platform}; a namespace belongs to one platform (this one is {PLATFORM}); "
            f"where {platform} is gone for good: kubectl label namespace {name} modelops.dev/platform-"
        )

    with cluster.serving(namespaces=taken, annotations={"production": OURS}) as there:
        assert refusal(values, *there.arguments) == [
            f"global.environments: {belongs('staging', 'other.scores')}",
            f"global.build.namespace: {belongs('modelops-builds', 'modelops.second')}",
            f"release namespace: {belongs('modelops', 'third.scores')}",
        ]


@pytest.mark.parametrize("create", [True, False])
def test_a_namespace_without_labels_is_anothers_when_its_account_of_jobs_is(*, create: bool) -> None:
    accounts = {f"staging/{names.RUNNER_ACCOUNT}": {names.PLATFORM: "other.scores"}}
    with cluster.serving(namespaces={"kube-system": {}, "staging": {}}, accounts=accounts) as there:
        (said,) = refusal(minimal(environment={"create": create}), *there.arguments)
    assert said.startswith("global.environments: staging belongs to the platform other.scores;")


@pytest.mark.parametrize("name", sorted(orders.CLUSTERS_OWN))
def test_the_clusters_own_namespaces_are_refused(name: str) -> None:
    values = minimal()
    values["global"]["environments"] = ["staging", name]
    assert refusal(values) == [
        f"global.environments: {name} is the cluster's own namespace; jobs run in namespaces of their own"
    ]
    values = minimal()
    values["global"]["build"]["namespace"] = name
    assert refusal(values) == [
        f"global.build.namespace: {name} is the cluster's own namespace; builds run in a namespace of their own"
    ]


def test_a_namespace_that_others_should_have_made_must_be_there() -> None:
    values = minimal(environment={"create": False})
    values["global"]["build"] |= {"namespace": "images", "createNamespace": False}
    builds, make = "global.build.createNamespace", "make it first: kubectl create namespace"
    label = LABEL_BUILDS.format("images")
    with cluster.serving(namespaces={"kube-system": {}}) as there:
        absent = "global.environments: there is no namespace staging, and environment.create is false"
        assert refusal(values, *there.arguments) == [
            f"{absent}; {make} staging && {LABEL}",
            f"global.build.namespace: there is no namespace images, and {builds} is false; {make} images && {label}",
        ]
    with cluster.serving(namespaces={"kube-system": {}}) as there:
        assert there.render(minimal())


@pytest.mark.parametrize("labels", [{}, {names.PLATFORM: PLATFORM}, {names.ENVIRONMENT: "staging"}])
def test_a_namespace_that_others_have_made_must_be_claimed(labels: dict[str, str]) -> None:
    """Without labels another platform would find it free."""
    values = minimal(environment={"create": False})
    values["global"]["build"] |= {"namespace": "images", "createNamespace": False}
    there_is: dict[str, Mapping[str, str]] = {"kube-system": {}, "staging": labels, "images": {}}
    with cluster.serving(namespaces=there_is) as there:
        staging, images = refusal(values, *there.arguments)
    lacks = "global.environments: staging lacks the labels of an environment, and environment.create is false"
    assert staging == f"{lacks}; label it first: {LABEL}"
    lacks = "global.build.namespace: images lacks the labels of a build namespace, and global.build.createNamespace is"
    assert images == f"{lacks} false; label it first: {LABEL_BUILDS.format('images')}"
    there_is |= {"staging": ENVIRONMENT, "images": {names.PLATFORM: PLATFORM}}
    with cluster.serving(namespaces=there_is) as there:
        assert there.render(values)


@pytest.mark.parametrize("labels", [{}, ENVIRONMENT], ids=["free", "kept"])
@pytest.mark.parametrize("keep", [True, False])
def test_a_namespace_that_is_there_is_taken_only_when_that_is_said(labels: dict[str, str], *, keep: bool) -> None:
    values = minimal(environment={"keep": keep})
    take = (
        "kubectl label --overwrite namespace staging app.kubernetes.io/managed-by=Helm && kubectl annotate --overwrite "
        "namespace staging meta.helm.sh/release-name=modelops meta.helm.sh/release-namespace=modelops"
    )
    with cluster.serving(namespaces={"staging": labels}) as there:
        (said,) = refusal(values, *there.arguments)
    assert said.startswith(
        f"global.environments: staging is there and not this release's; to take it with what is in it: {take} (for"
    )
    assert ("set environment.keep: true first" in said) is not keep
    with cluster.serving(namespaces={"staging": {**labels, **HELMS}}, annotations={"staging": OURS}) as there:
        assert there.render(values)


def test_a_namespace_of_another_release_is_not_this_releases() -> None:
    other = {**OURS, "meta.helm.sh/release-name": "modelops-prerequisites"}
    with cluster.serving(namespaces={"staging": {**ENVIRONMENT, **HELMS}}, annotations={"staging": other}) as there:
        (said,) = refusal(minimal(), *there.arguments)
    assert said.startswith("global.environments: staging is there and not this release's;")


def test_a_build_namespace_that_is_there_is_not_made() -> None:
    with cluster.serving(namespaces={"modelops-builds": {}}) as there:
        (said,) = refusal(minimal(), *there.arguments)
    remedy = f"set global.build.createNamespace: false, and label it: {LABEL_BUILDS.format('modelops-builds')}"
    assert said == f"global.build.namespace: modelops-builds is there and not this release's; {remedy}"


@pytest.mark.parametrize("namespace", ["modelops", "staging"])
def test_builds_have_a_namespace_of_their_own(namespace: str) -> None:
    values = minimal()
    values["global"]["build"]["namespace"] = namespace
    (said,) = refusal(values)
    assert said.startswith(f"global.build.namespace: {namespace} is the platform's own or an environment")


RUNNER: Final = {"retired/modelops-runner": {names.PLATFORM: PLATFORM}}
JOBS: Final[Mapping[str, Mapping[str, str]]] = {
    "retired/jaaaaaaaaaaaaaaaaaaaa": {names.JOB_ID: "jaaaaaaaaaaaaaaaaaaaa"},
    "retired/jbbbbbbbbbbbbbbbbbbbb": {names.JOB_ID: "jbbbbbbbbbbbbbbbbbbbb"},
    "retired/another": {},
}


def leaving(**given: Any) -> Any:
    """A cluster with the environment `retired`, which the values do not name."""
    labels = {names.PLATFORM: PLATFORM, names.ENVIRONMENT: "retired"}
    return cluster.serving(**{"namespaces": {"retired": labels}, "accounts": RUNNER, "runs": JOBS, **given})


def test_an_environment_with_unfinished_jobs_is_not_taken_out_by_an_upgrade() -> None:
    with leaving(finished=["jbbbbbbbbbbbbbbbbbbbb"]) as there:
        (said,) = refusal(minimal(), *there.arguments, "--is-upgrade")
        assert there.render(minimal()), "an installation takes nothing out"
        assert there.render(minimal(environment={"abandoned": ["retired"]}), "--is-upgrade")
    assert said.startswith(
        "global.environments: retired is named no more and has 1 unfinished job: jaaaaaaaaaaaaaaaaaaaa; wait for them "
        "or cancel them, or name it in environment.abandoned: "
    )


@pytest.mark.parametrize(
    "given",
    [
        {"finished": ["jaaaaaaaaaaaaaaaaaaaa", "jbbbbbbbbbbbbbbbbbbbb"]},
        {"runs": {}},
        {"accounts": {}},
        {"going": ["retired"]},
        {"namespaces": {"retired": {names.PLATFORM: "modelops.other", names.ENVIRONMENT: "retired"}}},
    ],
    ids=["finished", "none", "taken-out-before", "going", "another-platforms"],
)
def test_what_no_job_needs_is_taken_out(given: dict[str, Any]) -> None:
    with leaving(**given) as there:
        assert there.render(minimal(), "--is-upgrade")


def test_an_upgrade_without_prerequisites_looks_at_no_namespace() -> None:
    accounts = {
        "modelops/default": {},
        "modelops/scores-installer": {},
        "modelops-builds/scores-deployer": {},
        "staging/modelops-runner": {names.PLATFORM: "modelops.scores"},
    }
    with cluster.serving(accounts=accounts, forbidden=True) as there:
        assert there.render(render.ci_values(render.PLATFORM, "prepared"), "--is-upgrade")


def test_names_in_the_cluster_that_another_platform_has_are_refused() -> None:
    other = {"meta.helm.sh/release-name": "s-modelops", "meta.helm.sh/release-namespace": "modelop"}
    priorities: dict[str, Mapping[str, str]] = {"modelops-modelops-task": {}}
    with cluster.serving(priorities=priorities, annotations={"modelops-modelops-task": other}) as there:
        (said,) = refusal(minimal(), *there.arguments)
    same = "a platform in namespace modelop has the same names in the cluster (PriorityClass modelops-modelops-task)"
    assert said == f"release name: {same}; choose another name"
    with cluster.serving(priorities=priorities, annotations={"modelops-modelops-task": OURS}) as there:
        assert there.render(minimal())
