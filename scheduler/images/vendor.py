"""Copies a chart together with the charts it depends on by `file://`, so that helm can install it as it lies.

What `helm dependency build` does, for local dependencies, without helm and without archives; charts of charts included.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.model.problem import Problem

_SCHEME: Final = "file://"
_LEFT_OUT: Final = shutil.ignore_patterns("charts", "build", "ci", "Chart.lock", "__pycache__")


def copy(chart: Path, target: Path) -> None:
    """Make `target` the chart with its dependencies in `charts/`. A dependency that is not local is refused."""
    file = chart / "Chart.yaml"
    if not file.is_file():
        raise NotFoundError(f"{chart} is no chart: it has no Chart.yaml")
    dependencies = (yaml.safe_load(file.read_text()) or {}).get("dependencies") or []
    problems = [_problem(chart, item) for item in dependencies if not _is_local(item)]
    if problems:
        raise InvalidInputError(problems)
    shutil.copytree(chart, target, ignore=_LEFT_OUT, dirs_exist_ok=True)
    for name, repository in {str(item["name"]): str(item["repository"]) for item in dependencies}.items():
        copy((chart / repository.removeprefix(_SCHEME)).resolve(), target / "charts" / name)


def _is_local(dependency: dict[str, Any]) -> bool:
    return str(dependency.get("repository", "")).startswith(_SCHEME)


def _problem(chart: Path, dependency: dict[str, Any]) -> Problem:
    message = f"dependency '{dependency.get('name')}' must have a repository that begins with {_SCHEME}"
    return Problem(document=f"{chart.name}/Chart.yaml", pointer="/dependencies", message=message)
