"""Data channels in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scheduler.cli import given
from scheduler.errors import InvalidInputError
from scheduler.ir import load
from scheduler.ir.load import LoadedChannel
from scheduler.model.problem import Problem


def read(files: Sequence[Path]) -> list[LoadedChannel]:
    """The channels of all files; InvalidInputError with every problem of all of them."""
    found: list[LoadedChannel] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found += load.channels_from_text(given.content(file), file=str(file))
        except InvalidInputError as error:
            problems += error.problems
    if problems:
        raise InvalidInputError(problems)
    return found
