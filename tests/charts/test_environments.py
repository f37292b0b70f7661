"""What `modelops environment` takes for granted of the platform's chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from scheduler import names
from scheduler.environments import claims, platform, view
from scheduler.environments.platform import Platform
from scheduler.helm import chart
from scheduler.helm.port import ReleaseState, ReleaseStatus
from tests.charts import render

pytestmark = pytest.mark.helm

MINIMAL = render.ci_values(render.PLATFORM, "minimal")


def read(values: Mapping[str, Any]) -> Platform:
    status = ReleaseStatus(
        name="one", namespace="scoring", state=ReleaseState.DEPLOYED, revision=1, chart=chart.named(render.PLATFORM)
    )
    return platform.read(status, given=values, defaults=chart.defaults(render.PLATFORM))


def test_the_namespaces_are_those_that_the_values_name_with_the_labels_that_are_looked_for() -> None:
    found = read(MINIMAL)
    values = found.with_environments((*found.environments, "qa"))

    made = render.of_kind(render.platform(values, release="one", namespace="scoring"), "Namespace")

    labels = {one["metadata"]["name"]: one["metadata"]["labels"] for one in made}
    assert set(labels) == {*found.environments, "qa", found.builds}
    for name in (*found.environments, "qa"):
        assert claims.needed(name, platform=found.label).items() <= labels[name].items()
    assert names.ENVIRONMENT not in labels[found.builds]
    assert labels[found.builds][names.PLATFORM] == found.label


def test_what_an_environment_gets_makes_it_ready_and_has_a_quota_of_pods() -> None:
    objects = render.platform(MINIMAL, release="one", namespace="scoring")

    made = view.project(
        view.Facts(
            namespace=render.one(objects, "Namespace", "staging"),
            runs=(),
            quotas=render.of_kind(objects, "ResourceQuota", namespace="staging"),
            accounts=render.of_kind(objects, "ServiceAccount", namespace="staging"),
            pipelines=render.of_kind(objects, "Pipeline", namespace="staging"),
        )
    )

    assert made.state is claims.State.READY
    assert made.pods is not None
    assert made.pods.used == "0"
    assert made.pipelines == (names.PIPELINE_NAME,)


@pytest.mark.parametrize(
    "values", [{"environment": {"create": False}}, {"global": {"prerequisites": "exclude"}}], ids=["create", "exclude"]
)
def test_namespaces_are_not_made_exactly_where_others_make_them(values: Mapping[str, Any]) -> None:
    given = {**MINIMAL, **values, "global": {**MINIMAL["global"], **values.get("global", {})}}

    made = render.of_kind(render.platform(given, release="one", namespace="scoring"), "Namespace")

    assert not read(given).makes_namespaces
    assert "staging" not in {one["metadata"]["name"] for one in made}


@pytest.mark.parametrize(
    ("namespace", "whose"), [("staging", "scoring.one"), ("scoring", "one"), ("scoring-builds", "one")]
)
def test_accounts_say_that_a_namespace_is_a_platforms(namespace: str, whose: str) -> None:
    made = render.of_kind(
        render.both(MINIMAL, release="one", namespace="scoring"), "ServiceAccount", namespace=namespace
    )

    assert made
    for account in made:
        assert claims.PART_OF.items() <= claims.labels_of(account).items()
        assert claims.residents([account], platform="theirs.two") == (whose,)
    if namespace == "staging":
        assert claims.residents(made, platform="scoring.one") == ()


def test_all_that_the_chart_puts_on_a_namespace_can_be_taken_back() -> None:
    made = render.one(render.platform(MINIMAL, release="one", namespace="scoring"), "Namespace", "staging")
    before = {"metadata": {"name": "staging", "labels": {"team": "risk"}}}

    back = claims.giving_back(made, before=before)["metadata"]

    assert back["labels"] == dict.fromkeys(sorted(made["metadata"]["labels"]))
    assert back["annotations"] == dict.fromkeys(sorted(made["metadata"]["annotations"]))
