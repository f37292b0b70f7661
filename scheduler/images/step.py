"""One container build, as a sub-chart's `values.yaml` declares it below `builds`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from scheduler import names
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem
from scheduler.model.types import Values

_KEYS: Final = ("name", "containerfile", "context", "binaries", "args", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """One image and what it is made from."""

    name: str
    """Image `<registry>/modelops/<name>`; key in `global.images`."""
    chart: str
    """The sub-chart that declares it."""
    containerfile: str
    """Path below the chart's folder; the files beside it are the root of the build context."""
    context: tuple[str, ...] = ()
    """Files and folders of the project that are copied to the same path in the context."""
    binaries: tuple[str, ...] = ()
    """Programs that are copied to `bin/<name>` in the context."""
    args: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Builds that must come first; each gives the argument `<NAME>_IMAGE`."""


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
        containerfile=str(build["containerfile"]),
        context=_texts(build.get("context")),
        binaries=_texts(build.get("binaries")),
        args={str(key): str(value) for key, value in args.items()},
        after=_texts(build.get("after")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, Sequence) else ()


def _faults(chart: str, pointer: str, build: object) -> list[Problem]:
    if not isinstance(build, Mapping):
        return [_problem(chart, pointer, "must be a mapping with 'name' and 'containerfile'")]
    found = [
        _problem(chart, f"{pointer}/{key}", f"there is no key '{key}' in a build", candidates=_KEYS)
        for key in build
        if key not in _KEYS
    ]
    name = build.get("name")
    if not isinstance(name, str) or not names.is_name(name):
        found.append(_problem(chart, f"{pointer}/name", "must be a name of a-z, 0-9 and '-'"))
    containerfile = build.get("containerfile")
    if not isinstance(containerfile, str) or not _is_inside(containerfile):
        found.append(_problem(chart, f"{pointer}/containerfile", "must be a path below the chart's folder"))
    if not isinstance(build.get("args") or {}, Mapping):
        found.append(_problem(chart, f"{pointer}/args", "must be a mapping of build arguments"))
    for key in ("context", "binaries", "after"):
        found += _list_faults(chart, f"{pointer}/{key}", build.get(key))
    return found


def _list_faults(chart: str, pointer: str, value: object) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [_problem(chart, pointer, "must be a list")]
    return [
        _problem(chart, f"{pointer}/{index}", f"'{item}' is not a path inside the project")
        for index, item in enumerate(value)
        if not isinstance(item, str) or not _is_inside(item)
    ]


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts


def _problem(chart: str, pointer: str, message: str, *, candidates: tuple[str, ...] = ()) -> Problem:
    return Problem(document=f"{chart}/values.yaml", pointer=pointer, message=message, candidates=candidates)
