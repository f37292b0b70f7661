"""Adding an environment: what is done, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.environments import changing
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


def test_what_others_have_prepared_is_taken() -> None:
    assert add(with_namespace(objects.namespace("production", platform=PLATFORM), SPLIT)).is_changed


def test_an_upgrade_that_fails_is_told_and_changes_nothing() -> None:
    ports = objects.ports()

    def fail(_: Release) -> None:
        raise ProgramError("helm upgrade failed: post-upgrade hooks failed")

    helm_of(ports).on_upgrade = fail

    with pytest.raises(ProgramError, match="hooks failed"):
        add(ports)
    assert present(ports).values == {}


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
