"""Options that several commands share, and how their words become values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.ir import read
from scheduler.model import duration
from scheduler.model.pipeline import Scalar
from scheduler.model.problem import Problem

_T = TypeVar("_T")
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A parameter; 0.5 is a number, true a truth, '\"5\"' the text 5, and all else text.",
    ),
]
Deadlines = Annotated[
    list[str] | None,
    typer.Option("--deadline", metavar="PHASE=DURATION", help="queue, install, ready, run or finish; such as run=2h."),
]
DataVersions = Annotated[
    list[str] | None,
    typer.Option("--data-version", metavar="CHANNEL=VERSION", help="Version of the data that a source reads."),
]
Labels = Annotated[list[str] | None, typer.Option("--label", "-l", metavar="KEY=VALUE", help="To find the job by.")]
Trigger = Annotated[str, typer.Option("--trigger", metavar="JSON", help="What causes the job; kept with it as it is.")]
Parameters = Annotated[
    Path | None, typer.Option("--parameters", metavar="FILE", help="YAML or JSON file with parameters; --set wins.")
]


def parameters(sets: Sequence[str] | None, file: Path | None) -> dict[str, Scalar]:
    """Parameters of the file with those of `--set` over them."""
    return {**_file(file), **_pairs("--set", sets, _scalar)}


def together(parts: Mapping[str, Callable[[], object]]) -> dict[str, Any]:
    """What each part says, by its key; InvalidInputError has the problems of all of them.

    What is not found is one of the problems; alone it stays a NotFoundError.
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    absent: NotFoundError | None = None
    for key, read_part in parts.items():
        try:
            found[key] = read_part()
        except InvalidInputError as error:
            problems.extend(error.problems)
        except NotFoundError as error:
            absent = error
            problems.append(Problem(message=str(error)))
    if absent is not None and len(problems) == 1:
        raise absent
    if problems:
        raise InvalidInputError(problems)
    return found


def content(file: Path) -> bytes:
    """All of the file; InvalidInputError when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInputError([Problem(file=str(file), message=f"cannot be read: {error.strerror}")]) from error


def texts(option: str, given: Sequence[str] | None) -> dict[str, str]:
    return _pairs(option, given, lambda text: text)


def deadline_texts(given: Sequence[str] | None) -> dict[str, str]:
    """Phase -> duration, as the server takes it; words that are no duration are refused."""

    def checked(text: str) -> str:
        duration.seconds(text)
        return text

    return _pairs("--deadline", given, checked)


def deadline_seconds(given: Sequence[str] | None) -> dict[str, int]:
    return {phase: duration.seconds(text) for phase, text in deadline_texts(given).items()}


def json_object(option: str, text: str) -> Mapping[str, Any] | None:
    """The JSON object in the option's text; None without text."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidInputError([Problem(pointer=option, message=f"is not JSON: {error}")]) from error
    if not isinstance(found, dict):
        raise InvalidInputError([Problem(pointer=option, message='must be a JSON object, such as \'{"by": "cron"}\'')])
    return found


def _pairs(option: str, given: Sequence[str] | None, parse: Callable[[str], _T]) -> dict[str, _T]:
    found: dict[str, _T] = {}
    problems: list[Problem] = []
    for text in given or ():
        key, separator, value = text.partition("=")
        if not separator or not key:
            problems.append(Problem(pointer=option, message=f"'{text}' is not NAME=VALUE"))
            continue
        try:
            found[key] = parse(value)
        except ValueError as error:
            problems.append(Problem(pointer=option, message=f"{key}: {error}"))
    if problems:
        raise InvalidInputError(problems)
    return found


def _scalar(text: str) -> Scalar:
    """A JSON number, true, false or string in quotes; anything else is text as it stands."""
    try:
        found = json.loads(text, parse_constant=lambda _: None)
    except ValueError:
        return text
    return found if isinstance(found, str | int | float | bool) else text


def _file(file: Path | None) -> dict[str, Scalar]:
    """Read as an IR is read, so that a word means the same in both."""
    if file is None:
        return {}
    documents = read.parse(content(file), file=str(file))
    found = {name: item for one in documents for name, item in one.document.items()}
    if not all(isinstance(item, str | int | float | bool | None) for item in found.values()):
        raise InvalidInputError([Problem(file=str(file), message="must map parameter names to plain values")])
    return found
