"""Names of platforms that the chart refuses before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.charts import render
from tests.charts.test_refusals import minimal

pytestmark = pytest.mark.helm


def named(release: str, *, namespace: str = "modelops", values: Mapping[str, Any] | None = None) -> list[str]:
    """The complaints of a platform of this name."""
    place = [release, str(render.PLATFORM), "--namespace", namespace, "--kube-version", render.KUBERNETES]
    with pytest.raises(render.RefusedError) as refused:
        render.helm("template", *place, *render.TEKTON, "--values", "-", values=values or minimal())
    return [line.strip() for line in str(refused.value).splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("name", ["2scores", "my.scores"])
def test_a_name_that_no_service_may_have_is_refused(name: str) -> None:
    assert named(name) == [
        f"release name: {name} cannot name Services; it takes a-z, 0-9 and '-', the first a letter, the last no '-'"
    ]
    values = minimal()
    values["global"]["platform"] = {"name": name}
    with pytest.raises(render.RefusedError, match="/global/platform/name"):
        render.platform(values)


def test_a_platform_is_not_named_like_anothers_applications() -> None:
    said = "release name: a name that ends in -apps is that of another platform's applications, and would go with them"
    assert named("scores-apps") == [f"{said}; choose another name"]
    values = minimal()
    values["global"]["platform"] = {"name": "other-apps"}
    assert named("scores", values=values) == [f"{said}; choose another name"]


def test_a_namespace_whose_builds_would_have_too_long_a_name_is_refused() -> None:
    namespace = "n" * 58
    assert named("one", namespace=namespace) == [
        f"global.build.namespace: {namespace}-builds has 65 characters, and a namespace at most 63; set a shorter one"
    ]
    values = minimal()
    values["global"]["build"]["namespace"] = "images"
    assert render.platform(values, release="one", namespace=namespace)
