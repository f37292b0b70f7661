"""The rights that `modelops cluster check` asks for are those that installing the platform's chart takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from scheduler.cluster import kinds
from scheduler.inspection import rights
from tests.charts import render

pytestmark = pytest.mark.helm

NAMESPACE: Final = "modelops"
ENVIRONMENTS: Final = ("staging", "production")
BUILDS: Final = "modelops-builds"
PLACE: Final = dict.fromkeys((*ENVIRONMENTS, BUILDS), "an environment")


def _made() -> Iterator[tuple[str, str, str]]:
    """(namespace or `an environment`, API group, resource) of all that the chart can render."""
    values = render.ci_values(render.PLATFORM, "everything")
    values["global"]["build"]["namespace"] = ""
    for manifest in render.platform(values):
        kind = kinds.known(manifest["kind"])
        group = "" if kind.api_version == "v1" else kind.api_version.partition("/")[0]
        namespace = manifest["metadata"].get("namespace", "") if kind.namespaced else ""
        yield PLACE.get(namespace, namespace), group, kind.plural


def test_every_object_of_the_chart_and_no_other_is_asked_for() -> None:
    needed = rights.needed(platform=NAMESPACE, environments=ENVIRONMENTS)
    made = [right for right in needed if right.verb == "create"]
    asked = {(PLACE.get(right.namespace, right.namespace), right.group, right.resource) for right in made}
    assert asked - {(NAMESPACE, "", "secrets")} == set(_made())


def test_roles_need_the_right_to_give_what_one_does_not_hold() -> None:
    needed = rights.needed(platform=NAMESPACE, environments=ENVIRONMENTS)
    given = {(right.namespace, right.resource) for right in needed if right.verb in rights.GIVING_VERBS}
    assert given == {("", "clusterroles"), *((place, "roles") for place in (NAMESPACE, *ENVIRONMENTS, BUILDS))}


def test_an_upgrade_looks_for_jobs_before_it_takes_an_environment_out() -> None:
    lists = {right for right in rights.needed(platform=NAMESPACE, environments=ENVIRONMENTS) if right.verb == "list"}
    assert {(right.namespace, right.resource) for right in lists if right.resource != "secrets"} == {
        ("", "namespaces"),
        *((place, "pipelineruns") for place in (*ENVIRONMENTS, BUILDS)),
    }
