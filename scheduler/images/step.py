"""One container build, as a sub-chart's `values.yaml` declares it below `builds`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from scheduler import names
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem
from scheduler.model.types import Values

_PART: Final = r"(\.?[^./][^/]*|\.\.[^/]+)"
"""Of a path; neither `.` nor `..`."""
PATH: Final = rf"{_PART}(/{_PART})*/?"
"""Below a folder and not out of it; the charts' schemas have the same pattern."""
_KEYS: Final = ("name", "containerfile", "task", "context", "programs", "args", "after", "bootstrap")
TOOLS: Final = "container-tools"
"""The image that builds and deploys; it is there before an installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """One image and what it is made from."""

    name: str
    """Image `<registry>/modelops/<name>`; key in `global.images`."""
    chart: str
    """The sub-chart that declares it."""
    containerfile: str = ""
    """Path below the chart's folder; the files beside it are the root of the build context."""
    task: str = ""
    """The Tekton task that makes the image instead, among the chart's templates."""
    context: tuple[str, ...] = ()
    """Files and folders of the project that are copied to the same path in the context."""
    programs: tuple[str, ...] = ()
    """Programs of where it is built, container-tools or a machine, that are copied to `bin/<name>` in the context."""
    args: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Builds that must come first; each gives the argument `<NAME>_IMAGE`."""
    bootstrap: bool = False
    """Whether the image is there before the installation: made on a machine, and no task of the pipeline."""


def load(chart: str, values: Values) -> tuple[BuildStep, ...]:
    """The builds of a sub-chart; none without `builds`. Refuses with every fault at once."""
    builds = values.get("builds") or []
    problems: list[Problem] = []
    if not isinstance(builds, Sequence) or isinstance(builds, str):
        raise InvalidInputError([_problem(chart, "/builds", "must be a list of builds")])
    for index, build in enumerate(builds):
        problems += _faults(chart, f"/builds/{index}", build)
    if problems:
        raise InvalidInputError(problems)
    return tuple(_step(chart, build) for build in builds)


def parse(text: str) -> BuildStep:
    """The step that a task of the installation is given as JSON: one item of `builds`, and the chart that declares it.

    >>> parse('{"chart": "some-chart", "name": "a", "containerfile": "build/Containerfile"}').chart
    'some-chart'
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InvalidInputError([Problem(pointer="--step", message=f"is not JSON: {error}")]) from error
    if not isinstance(given, Mapping) or not names.is_name(str(given.get("chart"))):
        message = "must be a build with the 'chart' that declares it"
        raise InvalidInputError([Problem(pointer="--step", message=message)])
    build = {key: value for key, value in given.items() if key != "chart"}
    return load(str(given["chart"]), {"builds": [build]})[0]


def argument(name: str) -> str:
    """The build argument that carries the reference of an earlier image.

    >>> argument("streaming-runtime")
    'STREAMING_RUNTIME_IMAGE'
    """
    return name.upper().replace("-", "_") + "_IMAGE"


def _step(chart: str, build: Mapping[str, object]) -> BuildStep:
    args = build.get("args") or {}
    assert isinstance(args, Mapping)  # noqa: S101 - seen by _faults; tells the type checker
    return BuildStep(
        name=str(build["name"]),
        chart=chart,
        containerfile=str(build.get("containerfile") or ""),
        task=str(build.get("task") or ""),
        context=_texts(build.get("context")),
        programs=_texts(build.get("programs")),
        args={str(key): str(value) for key, value in args.items()},
        after=_texts(build.get("after")),
        bootstrap=build.get("bootstrap") is True,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, Sequence) else ()


def _faults(chart: str, pointer: str, build: object) -> list[Problem]:
    if not isinstance(build, Mapping):
        return [_problem(chart, pointer, "must be a mapping with 'name' and 'containerfile' or 'task'")]
    found = [
        _problem(chart, f"{pointer}/{key}", f"there is no key '{key}' in a build", candidates=_KEYS)
        for key in build
        if key not in _KEYS
    ]
    name = build.get("name")
    if not isinstance(name, str) or not names.is_name(name):
        found.append(_problem(chart, f"{pointer}/name", "must be a name of a-z, 0-9 and '-'"))
    found += _way_faults(chart, pointer, build)
    if not isinstance(build.get("bootstrap", False), bool):
        found.append(_problem(chart, f"{pointer}/bootstrap", "must be true or false"))
    if not isinstance(build.get("args") or {}, Mapping):
        found.append(_problem(chart, f"{pointer}/args", "must be a mapping of build arguments"))
    for key in ("context", "after"):
        found += _list_faults(chart, f"{pointer}/{key}", build.get(key), _is_inside, "a path inside the project")
    found += _list_faults(chart, f"{pointer}/programs", build.get("programs"), names.is_name, "a program's name")
    if build.get("task") and build.get("programs"):
        message = "a task makes the image itself: nobody copies programs for it"
        found.append(_problem(chart, f"{pointer}/programs", message))
    return found


def _way_faults(chart: str, pointer: str, build: Mapping[str, object]) -> list[Problem]:
    """An image is made from a Containerfile or by a task of the chart's own, and not by both."""
    containerfile, task = build.get("containerfile"), build.get("task")
    if not task:
        is_path = isinstance(containerfile, str) and _is_inside(containerfile)
        message = "must be a path below the chart's folder"
        return [] if is_path else [_problem(chart, f"{pointer}/containerfile", message)]
    if containerfile:
        return [_problem(chart, f"{pointer}/task", "there is a containerfile as well; give one of the two")]
    if not isinstance(task, str) or not names.is_name(task):
        return [_problem(chart, f"{pointer}/task", "must be a name of a-z, 0-9 and '-'")]
    return []


def _list_faults(chart: str, pointer: str, value: object, is_right: Callable[[str], bool], what: str) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [_problem(chart, pointer, "must be a list")]
    return [
        _problem(chart, f"{pointer}/{index}", f"'{item}' is not {what}")
        for index, item in enumerate(value)
        if not isinstance(item, str) or not is_right(item)
    ]


def _is_inside(path: str) -> bool:
    return re.fullmatch(PATH, path) is not None


def _problem(chart: str, pointer: str, message: str, *, candidates: tuple[str, ...] = ()) -> Problem:
    return Problem(document=f"{chart}/values.yaml", pointer=pointer, message=message, candidates=candidates)
