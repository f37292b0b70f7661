"""Adding an environment: what is done, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.environments import changing, claims
from scheduler.environments.changing import Done, Ports
from scheduler.environments.claims import POD_SECURITY
from scheduler.errors import ConflictError, InvalidInputError, ProgramError, SchedulerError
from scheduler.helm.fake import FakeHelm, Release
from scheduler.model.types import Manifest, Values
from tests.unit.environments import objects
from tests.unit.environments.objects import NAMESPACE, PLATFORM, RELEASE

SPLIT: Values = {"environment": {"create": False}}


def add(ports: Ports, environment: str = "production", *, is_adopted: bool = False) -> Done:
    platform = changing.read(RELEASE, namespace=NAMESPACE, ports=ports)
    return changing.add(platform, environment, is_adopted=is_adopted, ports=ports)


def helm_of(ports: Ports) -> FakeHelm:
    assert isinstance(ports.helm, FakeHelm)
    return ports.helm


def present(ports: Ports) -> Release:
    return helm_of(ports).releases[NAMESPACE, RELEASE]


def with_namespace(manifest: Manifest, values: Values | None = None) -> Ports:
    made = objects.ports(values)
    made.cluster.create(manifest)
    return made


def refused(ports: Ports, error: type[SchedulerError], **given: Any) -> str:
    """What it says; nothing has been changed."""
    with pytest.raises(error) as refusal:
        add(ports, **given)
    assert ("upgrade", RELEASE) not in helm_of(ports).calls
    return str(refusal.value)


def test_the_values_have_one_name_more_and_are_else_as_they_were() -> None:
    ports = objects.ports({"global": {"size": "small"}, "access": {"admins": ["ada"]}})

    done = add(ports)

    assert present(ports).values == {
        "global": {"size": "small", "environments": ["staging", "production"]},
        "access": {"admins": ["ada"]},
    }
    assert present(ports).status.revision == 2
    assert done == Done(is_changed=True, words="'production' is an environment of scoring.one; its namespace is new")


def test_what_is_an_environment_already_is_left_as_it_is() -> None:
    ports = objects.ports(of="modelops-0.0.1")

    done = add(ports, "staging")

    assert done == Done(is_changed=False, words="'staging' is an environment of scoring.one already")
    assert present(ports).status.revision == 1


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a.b", "a" * 64])
def test_a_name_that_no_namespace_has_is_refused(name: str) -> None:
    assert "a namespace has at most 63 of a-z" in refused(objects.ports(), InvalidInputError, environment=name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("scoring", "the platform's own namespace"),
        ("scoring-builds", "the namespace of the platform's builds"),
        ("kube-system", "the cluster's own namespace"),
        ("default", "the cluster's own namespace"),
        ("tekton-pipelines", "the cluster's own namespace"),
    ],
)
def test_namespaces_with_another_purpose_are_refused(name: str, why: str) -> None:
    assert why in refused(objects.ports(), InvalidInputError, environment=name, is_adopted=True)


def test_the_installed_version_is_kept() -> None:
    said = refused(objects.ports(of="modelops-0.0.1"), ConflictError)

    assert f"installed from modelops-0.0.1, and the chart at hand is {objects.INSTALLED}" in said


@pytest.mark.parametrize("is_adopted", [False, True])
def test_another_platforms_namespace_is_refused_with_its_owner(*, is_adopted: bool) -> None:
    ports = with_namespace(objects.namespace("production", platform="theirs.two"))

    assert "belongs to the platform theirs.two" in refused(ports, ConflictError, is_adopted=is_adopted)


@pytest.mark.parametrize("is_adopted", [False, True])
def test_a_namespace_that_is_going_is_refused(*, is_adopted: bool) -> None:
    ports = objects.ports()
    assert isinstance(ports.cluster, FakeCluster)
    ports.cluster.put({**objects.namespace("production"), "status": {"phase": "Terminating"}})

    assert "is being deleted; try again" in refused(ports, ConflictError, is_adopted=is_adopted)


@pytest.mark.parametrize("is_adopted", [False, True])
@pytest.mark.parametrize("values", [{}, SPLIT], ids=["made", "made-by-others"])
def test_a_namespace_without_labels_is_anothers_when_its_accounts_are(values: Values, *, is_adopted: bool) -> None:
    ours = objects.namespace("production", platform=PLATFORM if values else "")
    ports = with_namespace(ours, values)
    theirs = {names.PLATFORM: "theirs.two", **claims.PART_OF}
    ports.cluster.create(objects.account(names.RUNNER_ACCOUNT, "production", **theirs))

    said = refused(ports, ConflictError, is_adopted=is_adopted)

    assert said.startswith("the namespace 'production' belongs to the platform theirs.two; a namespace belongs to one")
    assert said.endswith("whose ServiceAccounts are there")


@pytest.mark.parametrize("name", ["two-installer", "two-scheduling-server", "two-builder"])
def test_another_platforms_own_namespace_and_that_of_its_builds_are_refused(name: str) -> None:
    ports = with_namespace(objects.namespace("production"))
    ports.cluster.create(objects.account(name, "production", **{"app.kubernetes.io/instance": "two"}, **claims.PART_OF))

    said = refused(ports, ConflictError, is_adopted=True)

    assert "belongs to the platform two; a namespace belongs to one platform" in said


def test_accounts_of_anybody_else_hold_nothing_up() -> None:
    ports = with_namespace(objects.namespace("production"))
    ports.cluster.create(objects.account("default", "production"))
    ports.cluster.create(objects.account("web", "production", **{"app.kubernetes.io/instance": "two"}))

    assert add(ports, is_adopted=True).is_changed


def test_a_platform_that_is_gone_lets_go_of_its_namespace_by_a_label() -> None:
    ports = with_namespace(objects.namespace("production", platform="theirs.two"))

    said = refused(ports, ConflictError)

    assert said.endswith(f"where theirs.two is gone for good: kubectl label namespace production {names.PLATFORM}-")


def test_a_namespace_that_is_nobodys_is_refused_with_the_labels_that_it_would_get() -> None:
    said = refused(with_namespace(objects.namespace("production")), ConflictError)

    assert "with --adopt it becomes an environment" in said
    for label in (f"{names.ENVIRONMENT}=production", f"{names.PLATFORM}={PLATFORM}", f"{POD_SECURITY}=restricted"):
        assert label in said


def test_a_namespace_that_is_nobodys_is_adopted_when_asked() -> None:
    ports = with_namespace(objects.namespace("production"))
    _let_another_release_have(ports, "production")

    done = add(ports, is_adopted=True)

    assert done.words.endswith("its namespace was there and stays with what is in it")
    assert present(ports).values == {"global": {"environments": ["staging", "production"]}}


def test_a_namespace_would_not_survive_an_adoption_that_does_not_keep_it() -> None:
    ports = with_namespace(objects.namespace("production"), {"environment": {"keep": False}})

    assert "set environment.keep: true first" in refused(ports, ConflictError, is_adopted=True)


def test_this_platforms_own_namespace_is_taken_up_again() -> None:
    ports = with_namespace(objects.namespace("production", platform=PLATFORM))

    assert add(ports).is_changed


def test_a_namespace_that_comes_meanwhile_is_not_taken() -> None:
    ports = objects.ports()
    _let_another_release_have(ports, "production")

    with pytest.raises(ProgramError, match="invalid ownership metadata"):
        add(ports)

    assert present(ports).values == {}


@pytest.mark.parametrize("is_adopted", [False, True])
def test_what_others_make_has_to_be_there_first(*, is_adopted: bool) -> None:
    said = refused(objects.ports(SPLIT), ConflictError, is_adopted=is_adopted)

    assert "kubectl create namespace production && kubectl label --overwrite namespace production" in said
    assert f"{names.PLATFORM}={PLATFORM}" in said


def test_what_others_make_has_to_have_all_labels() -> None:
    prepared = objects.namespace("production", platform=PLATFORM, **{POD_SECURITY: "baseline"})

    said = refused(with_namespace(prepared, SPLIT), ConflictError)

    assert said.endswith(f"kubectl label --overwrite namespace production {POD_SECURITY}=restricted")


def test_what_a_release_of_prerequisites_prepares_is_not_labelled_by_hand() -> None:
    said = refused(objects.ports({"global": {"prerequisites": "exclude"}}), ConflictError)

    assert said.endswith("modelops environment add production --namespace scoring --release PREREQUISITES")
    assert "kubectl" not in said


def test_an_environment_that_was_abandoned_is_one_again() -> None:
    ports = objects.ports({"environment": {"abandoned": ["production"]}})

    add(ports)

    assert present(ports).values == {
        "global": {"environments": ["staging", "production"]},
        "environment": {"abandoned": []},
    }


def test_what_others_have_prepared_is_taken() -> None:
    assert add(with_namespace(objects.namespace("production", platform=PLATFORM), SPLIT)).is_changed


def test_a_namespace_is_the_releases_before_the_chart_looks_at_it() -> None:
    ports = with_namespace(objects.namespace("production", team="risk"))
    seen: list[Any] = []
    helm_of(ports).on_upgrade = lambda _: seen.append(ports.cluster.get("Namespace", "production")["metadata"])

    add(ports, is_adopted=True)

    (metadata,) = seen
    assert metadata["labels"] == {names.PLATFORM: PLATFORM, "app.kubernetes.io/managed-by": "Helm", "team": "risk"}
    assert metadata["annotations"] == {
        "meta.helm.sh/release-name": RELEASE,
        "meta.helm.sh/release-namespace": NAMESPACE,
    }


def test_a_namespace_that_another_platform_takes_meanwhile_is_left_to_it() -> None:
    ports = with_namespace(objects.namespace("production"))
    cluster = objects.Overtaken()
    cluster.put(objects.namespace("production"))
    ports = replace(ports, cluster=cluster)

    with pytest.raises(ConflictError):
        add(ports, is_adopted=True)

    assert ("upgrade", RELEASE) not in helm_of(ports).calls
    assert cluster.get("Namespace", "production")["metadata"]["labels"][names.PLATFORM] == "theirs.two"


@pytest.mark.parametrize("platform", ["", PLATFORM], ids=["free", "kept"])
def test_an_upgrade_that_fails_is_told_and_the_namespace_is_what_it_was(platform: str) -> None:
    before = objects.namespace("production", platform=platform, team="risk", **{"helm.sh/chart": "theirs"})
    before["metadata"]["annotations"] = {"meta.helm.sh/release-name": "older", "note": "ours"}
    ports = with_namespace(before)

    def fail(_: Release) -> None:
        """As helm does: what the chart keeps has stayed, labelled."""
        labels = {**claims.needed("production", platform=PLATFORM), "helm.sh/chart": "modelops", "made": "meanwhile"}
        annotations = {"helm.sh/resource-policy": "keep"}
        ports.cluster.patch("Namespace", "production", "", {"metadata": {"labels": labels, "annotations": annotations}})
        raise ProgramError("helm upgrade failed: post-upgrade hooks failed")

    helm_of(ports).on_upgrade = fail

    with pytest.raises(ProgramError, match="hooks failed"):
        add(ports, is_adopted=True)

    assert present(ports).values == {}
    metadata = ports.cluster.get("Namespace", "production")["metadata"]
    assert metadata["labels"] == {**before["metadata"]["labels"], "made": "meanwhile"}
    assert metadata["annotations"] == before["metadata"]["annotations"]


def test_a_change_by_somebody_else_in_between_is_told() -> None:
    ports = objects.ports()
    platform = changing.read(RELEASE, namespace=NAMESPACE, ports=ports)
    add(ports, "theirs")

    with pytest.raises(ConflictError, match=r"revision 3 has the values of revision 1.*staging, production"):
        changing.add(platform, "production", is_adopted=False, ports=ports)


def _let_another_release_have(ports: Ports, namespace: str) -> None:
    """From now on helm renders a release's environments, and another release has made this one's namespace."""
    helm = helm_of(ports)
    helm.render = lambda _release, values, _namespace: [
        objects.namespace(name) for name in values["global"]["environments"]
    ]
    other = objects.release({})
    status = replace(other.status, name="other", namespace="elsewhere")
    helm.put(replace(other, status=status, manifests=(objects.namespace(namespace),)))
