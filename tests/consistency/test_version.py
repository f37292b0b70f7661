"""One version for everything that is released together; `scheduler.__version__` is its place."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import scheduler
from scheduler import assets
from scheduler.helm import pyhelm
from scheduler.inspection import judgement

CHARTS: Final = sorted(assets.charts().glob("modelops/Chart.yaml")) + sorted(
    assets.charts().glob("subcharts/*/Chart.yaml")
)
HEADINGS: Final = re.findall(r"^## \[([^]]+)\]", (assets.root() / "CHANGELOG.md").read_text(), re.MULTILINE)


def ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_the_package_takes_its_version_from_the_program() -> None:
    project: dict[str, Any] = tomllib.loads((assets.root() / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "scheduler.__version__"}


@pytest.mark.parametrize("file", CHARTS, ids=lambda file: file.parent.name)
def test_a_chart_and_all_that_it_depends_on_have_the_programs_version(file: Path) -> None:
    chart = yaml.safe_load(file.read_text())
    found = {chart["version"], chart["appVersion"], *(one["version"] for one in chart.get("dependencies", ()))}
    assert found == {scheduler.__version__}


def test_the_version_is_not_older_than_what_was_released() -> None:
    first, *released = HEADINGS
    assert first == "Unreleased"
    assert released == sorted(released, key=ordered, reverse=True)
    assert ordered(scheduler.__version__) >= ordered(released[0])


def test_the_oldest_kubernetes_is_the_same_for_charts_their_rendering_and_the_check_of_a_cluster() -> None:
    charts = [yaml.safe_load(file.read_text()) for file in CHARTS]
    asked = {chart["kubeVersion"] for chart in charts if "kubeVersion" in chart}
    oldest = ".".join(str(part) for part in judgement.OLDEST)
    assert (asked, pyhelm._KUBERNETES) == ({f">={oldest}.0-0"}, f"{oldest}.0")
