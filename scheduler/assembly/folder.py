"""A folder `charts/` as files: what its sub-charts are, and what follows from that written where it belongs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler.assembly import subchart, umbrella
from scheduler.assembly.subchart import SubChart
from scheduler.assembly.umbrella import Texts
from scheduler.errors import InvalidInputError
from scheduler.images import plan, step
from scheduler.images.step import BuildStep
from scheduler.model.problem import Problem

JOB: Final = "scoring-pipeline"
_LIST: Final = Path("modelops", "files", "sub-charts.yaml")
"""By which the platform's chart knows those that are switched off: helm does not show them."""
_FILES: Final = {"chart": "Chart.yaml", "values": "values.yaml", "schema": "values.schema.json"}


def subcharts(charts: Path) -> tuple[SubChart, ...]:
    """Those that `charts/modelops` depends on, in its order; InvalidInputError with everything that is wrong."""
    problems: list[Problem] = []
    found: list[SubChart] = []
    steps: list[BuildStep] = []
    for name in subchart.taken(_yaml(charts / "modelops" / "Chart.yaml")):
        with _told_in(problems):
            chart, builds = _subchart(charts / "subcharts" / name)
            found.append(chart)
            steps += builds
    if not problems:
        with _told_in(problems):
            plan.order(steps)
    if problems:
        raise InvalidInputError(problems)
    return tuple(found)


def _subchart(folder: Path) -> tuple[SubChart, tuple[BuildStep, ...]]:
    """The chart and its builds; InvalidInputError with everything that is wrong with its files."""
    name = folder.name
    if not (folder / _FILES["chart"]).is_file():
        message = f"'{name}' is a dependency, but there is no folder charts/subcharts/{name} with a Chart.yaml"
        raise InvalidInputError([Problem(document="modelops/Chart.yaml", pointer="/dependencies", message=message)])
    read: dict[str, Mapping[str, Any]] = {"values": {}}
    problems: list[Problem] = []
    for what in ("chart", "values"):
        if (folder / _FILES[what]).exists():
            with _told_in(problems):
                read[what] = _yaml(folder / _FILES[what])
    if problems:
        raise InvalidInputError(problems)
    if read["chart"].get("type") != "library":
        problems += _lacking(folder)
    with _told_in(problems):
        builds = step.load(name, read["values"])
    with _told_in(problems):
        chart = subchart.of(name, chart=read["chart"], values=read["values"])
    if not problems and chart.is_server and name not in {build.name for build in builds}:
        message = f"none is named '{name}': the image of that name is what the pods of a scoring server run"
        problems.append(Problem(document=f"{name}/values.yaml", pointer="/builds", message=message))
    if problems:
        raise InvalidInputError(problems)
    return chart, builds


def _lacking(folder: Path) -> Iterator[Problem]:
    """What every chart with values has."""
    name = folder.name
    if not (folder / _FILES["schema"]).is_file():
        message = "is not there: helm would take any value of this chart; write a schema that is closed"
        yield Problem(document=f"{name}/{_FILES['schema']}", message=message)
    defined = re.compile(rf"""\bdefine\s+["`]{re.escape(name)}\.complaints["`]""")
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in sorted(folder.glob("templates/**/*.*")))
    if not any(defined.search(text) for text in texts):
        message = f"no template is named '{name}.complaints', which tells what is wrong with values; it may be empty"
        yield Problem(document=f"{name}/templates", message=message)


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
    """A file's mapping; anything else is refused."""
    document = f"{path.parent.name}/{path.name}"
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeError) as error:
        message = f"cannot be read: {' '.join(str(error).split())}"
        raise InvalidInputError([Problem(document=document, message=message)]) from error
    if not isinstance(loaded, Mapping | None):
        raise InvalidInputError([Problem(document=document, message="must be a mapping")])
    return loaded or {}


@contextmanager
def _told_in(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except InvalidInputError as error:
        problems += error.problems
