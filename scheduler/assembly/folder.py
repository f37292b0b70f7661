"""A folder `charts/` as files: what its sub-charts are, and what follows from that written where it belongs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler.assembly import subchart, umbrella
from scheduler.assembly.subchart import SubChart
from scheduler.assembly.umbrella import Texts
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem

JOB: Final = "scoring-pipeline"
_LIST: Final = Path("modelops", "files", "sub-charts.yaml")
"""By which the platform's chart knows those that are switched off: helm does not show them."""
_FILES: Final = {"chart": "Chart.yaml", "values": "values.yaml", "schema": "values.schema.json"}


def subcharts(charts: Path) -> tuple[SubChart, ...]:
    """Those that `charts/modelops` depends on, in its order; InvalidInputError with everything that is wrong."""
    problems: list[Problem] = []
    found: list[SubChart] = []
    for name in subchart.taken(_yaml(charts / "modelops" / "Chart.yaml")):
        folder = charts / "subcharts" / name
        if not (folder / "Chart.yaml").is_file():
            message = f"'{name}' is a dependency, but there is no folder charts/subcharts/{name} with a Chart.yaml"
            problems.append(Problem(document="modelops/Chart.yaml", pointer="/dependencies", message=message))
            continue
        chart = _yaml(folder / "Chart.yaml")
        if chart.get("type") != "library" and not (folder / _FILES["schema"]).is_file():
            message = "is not there: helm would take any value of this chart; write a schema that is closed"
            problems.append(Problem(document=f"{name}/{_FILES['schema']}", message=message))
        try:
            values = _yaml(folder / "values.yaml") if (folder / "values.yaml").exists() else {}
            found.append(subchart.of(name, chart=chart, values=values))
        except InvalidInputError as error:
            problems += error.problems
    if problems:
        raise InvalidInputError(problems)
    return tuple(found)


def assemble(charts: Path) -> tuple[str, ...]:
    """Write the job's chart and the platform's list of its sub-charts, and link each chart to those that it depends on.

    The paths that were written are returned.

    Nothing is written where everything is as it should be, so that a folder that cannot be written may be assembled.
    """
    written: list[str] = []
    wanted = subcharts(charts)
    for path, text in _texts(charts, wanted):
        if not _holds(path, text):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(str(path.relative_to(charts)))
    for link, target in _links(charts, wanted):
        if not link.exists():
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target)
            written.append(str(link.relative_to(charts)))
    return tuple(written)


def stale(charts: Path) -> tuple[str, ...]:
    """The paths that `assemble` would write."""
    wanted = subcharts(charts)
    texts = [path for path, text in _texts(charts, wanted) if not _holds(path, text)]
    links = [link for link, _ in _links(charts, wanted) if not link.exists()]
    return tuple(str(path.relative_to(charts)) for path in (*texts, *links))


def _texts(charts: Path, wanted: tuple[SubChart, ...]) -> Iterator[tuple[Path, str]]:
    folder = charts / "subcharts" / JOB
    given = Texts(**{field: (folder / name).read_text(encoding="utf-8") for field, name in _FILES.items()})
    made = umbrella.updated(given, wanted)
    for field, name in _FILES.items():
        yield folder / name, getattr(made, field)
    yield charts / _LIST, umbrella.listed(wanted)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _links(charts: Path, wanted: tuple[SubChart, ...]) -> Iterator[tuple[Path, str]]:
    """What helm looks for in the `charts` folder of a chart: each dependency, as a link to its one folder."""
    beside = charts / "subcharts"
    for chart in wanted:
        yield from _to(charts / "modelops", beside / chart.name)
        if "job" in chart.faces:
            yield from _to(beside / JOB, beside / chart.name)
        for name in chart.links:
            yield from _to(beside / chart.name, beside / name)


def _to(chart: Path, dependency: Path) -> Iterator[tuple[Path, str]]:
    link = chart / "charts" / dependency.name
    yield link, os.path.relpath(dependency, link.parent)


def _yaml(path: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return loaded
