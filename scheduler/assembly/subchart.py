"""A sub-chart as its Chart.yaml and values.yaml describe it, and what is wrong with that. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scheduler.errors import InvalidInputError
from scheduler.model.alike import nearest
from scheduler.model.problem import Problem

FACES: Final = "modelops.dev/faces"
"""Annotation of a Chart.yaml: what the chart renders, as words with commas between them."""
KNOWN: Final = ("builds", "applications", "job")
_PLACE: Final = "file://../subcharts/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubChart:
    name: str
    version: str
    description: str
    faces: frozenset[str]
    links: tuple[str, ...] = ()
    """Charts beside it that it depends on."""
    is_server: bool = False
    """Whether it lists `supportedModels`: then a job takes it in only for a model."""


def of(name: str, *, chart: Mapping[str, Any], values: Mapping[str, Any]) -> SubChart:
    """The sub-chart in the folder `name`; InvalidInputError with everything that is wrong with its description."""
    written = str((chart.get("annotations") or {}).get(FACES, ""))
    faces = frozenset(word.strip() for word in written.split(",") if word.strip())
    made = SubChart(
        name=name,
        version=str(chart.get("version", "")),
        description=str(chart.get("description", "")),
        faces=faces,
        links=tuple(_beside(chart)),
        is_server=bool(values.get("supportedModels")),
    )
    problems = list(_faults(made, chart))
    if problems:
        raise InvalidInputError(problems)
    return made


def taken(platform: Mapping[str, Any]) -> tuple[str, ...]:
    """The sub-charts that the platform's Chart.yaml depends on, in its order; InvalidInputError for other entries."""
    names: list[str] = []
    problems: list[Problem] = []
    for index, entry in enumerate(platform.get("dependencies") or ()):
        name, place = str(entry.get("name", "")), str(entry.get("repository", ""))
        if place != _PLACE + name or "alias" in entry:
            message = f"'{name}' must be a folder in charts/subcharts: repository {_PLACE}{name}, and no alias"
            problems.append(_problem("modelops", f"/dependencies/{index}", message))
        elif name in names:
            problems.append(_problem("modelops", f"/dependencies/{index}", f"'{name}' stands here twice"))
        names.append(name)
    if problems:
        raise InvalidInputError(problems)
    return tuple(names)


def _beside(chart: Mapping[str, Any]) -> Iterator[str]:
    for entry in chart.get("dependencies") or ():
        if str(entry.get("repository", "")) == f"file://../{entry.get('name')}":
            yield str(entry["name"])


def _faults(made: SubChart, chart: Mapping[str, Any]) -> Iterator[Problem]:
    if chart.get("name") != made.name:
        yield _problem(made.name, "/name", f"the chart is named '{chart.get('name')}', its folder '{made.name}'")
    if not made.version:
        yield _problem(made.name, "/version", "'version' is missing")
    for word in sorted(made.faces - set(KNOWN)):
        message = f"'{word}' is no face of a chart"
        yield _problem(made.name, f"/annotations/{FACES}", message, candidates=tuple(nearest(word, KNOWN)) or KNOWN)
    if made.is_server and "job" not in made.faces:
        message = f"a chart with supportedModels is for jobs: it needs the annotation {FACES}: builds,job"
        yield _problem(made.name, "/annotations", message)


def _problem(chart: str, pointer: str, message: str, *, candidates: tuple[str, ...] = ()) -> Problem:
    return Problem(document=f"{chart}/Chart.yaml", pointer=pointer, message=message, candidates=candidates)
