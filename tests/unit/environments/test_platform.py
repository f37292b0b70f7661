"""What a release's status and values say of a platform."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.environments import changing
from scheduler.environments.platform import Platform
from scheduler.errors import ConflictError, NotFoundError
from scheduler.helm.port import ReleaseState
from scheduler.model.types import Values
from tests.unit.environments import objects
from tests.unit.environments.objects import NAMESPACE, RELEASE


def read(values: Values, **of: Any) -> Platform:
    return changing.read(RELEASE, namespace=NAMESPACE, ports=objects.ports(values, **of))


def test_what_is_not_given_is_the_charts_own() -> None:
    found = read({})

    assert (found.name, found.release, found.label, found.revision) == ("one", "one", "scoring.one", 1)
    assert (found.environments, found.builds) == (("staging",), "scoring-builds")
    assert (found.makes_namespaces, found.keeps_namespaces, found.installs) == (True, True, True)


def test_what_is_given_counts() -> None:
    found = read(
        {"global": {"environments": ["a", "b"], "build": {"namespace": "kiln"}}, "environment": {"keep": False}}
    )

    assert (found.environments, found.builds, found.keeps_namespaces) == (("a", "b"), "kiln", False)


@pytest.mark.parametrize(
    "values", [{"environment": {"create": False}}, {"global": {"prerequisites": "exclude"}}], ids=["create", "exclude"]
)
def test_others_may_make_the_namespaces(values: Values) -> None:
    found = read(values)

    assert not found.makes_namespaces
    assert found.is_prepared is ("global" in values)


def test_a_release_of_prerequisites_is_named_otherwise_and_installs_nothing() -> None:
    found = read({"global": {"prerequisites": "only", "platform": {"name": "two"}}})

    assert (found.name, found.release, found.label) == ("two", "one", "scoring.two")
    assert found.makes_namespaces
    assert not found.installs


def test_other_environments_change_nothing_else() -> None:
    values = {"global": {"size": "small", "environments": ["a"]}, "tasks": {"priority": 7}}

    found = read(values).with_environments(("a", "b"))

    assert found == {"global": {"size": "small", "environments": ["a", "b"]}, "tasks": {"priority": 7}}


def test_a_release_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFoundError, match=r"no release 'other' in namespace 'scoring'.*--release"):
        changing.read("other", namespace=NAMESPACE, ports=objects.ports())


@pytest.mark.parametrize("chart", ["nginx-1.2.3", "modelops-server-0.1.0"])
def test_a_release_of_another_chart_is_no_platform(chart: str) -> None:
    with pytest.raises(NotFoundError, match=f"no platform: its chart is {chart}"):
        read({}, of=chart)


def test_the_release_of_the_applications_names_the_platforms() -> None:
    with pytest.raises(ConflictError, match="environments are the release 'two's"):
        read({"global": {"render": "applications", "platform": {"name": "two"}}})


@pytest.mark.parametrize("state", [ReleaseState.FAILED, ReleaseState.PENDING_UPGRADE, ReleaseState.UNINSTALLING])
def test_a_release_that_is_not_in_order_is_left_alone(state: ReleaseState) -> None:
    with pytest.raises(ConflictError, match=f"is {state}, revision 1: bring it in order first: helm -n scoring"):
        read({}, state=state)
