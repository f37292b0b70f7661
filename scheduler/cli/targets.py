"""What a command is told to write to: registries, files and folders, looked at before the work instead of after it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from scheduler.errors import InvalidInputError
from scheduler.images import registry
from scheduler.model.problem import Problem


def check(
    *,
    registries: Mapping[str, str] | None = None,
    files: Mapping[str, Path | None] | None = None,
    folders: Mapping[str, Path | None] | None = None,
) -> None:
    """Options and what they name; empty ones and None are passed over.

    InvalidInputError with every registry that is none, such as a URL, every file that cannot be written, and every
    folder that is not there and cannot be made.
    """
    problems = [
        *(_problem(option, _registry_fault(name)) for option, name in (registries or {}).items() if name),
        *(_problem(option, _file_fault(path)) for option, path in (files or {}).items() if path is not None),
        *(_problem(option, _folder_fault(path)) for option, path in (folders or {}).items() if path is not None),
    ]
    if found := [problem for problem in problems if problem.message]:
        raise InvalidInputError(found)


def _problem(option: str, message: str) -> Problem:
    return Problem(pointer=option, message=message)


def _registry_fault(name: str) -> str:
    if registry.NAME.fullmatch(name):
        return ""
    scheme, separator, rest = name.partition("://")
    without = f", without '{scheme}://'" if separator else ""
    example = rest.rstrip("/") if registry.NAME.fullmatch(rest.rstrip("/")) and separator else "registry.example.com"
    return f"'{name}' is no registry: write host[:port][/path], such as '{example}'{without}"


def _file_fault(path: Path) -> str:
    if path.is_dir():
        return f"'{path}' is a folder, and a file is to be written"
    if not path.parent.is_dir():
        return f"'{path}' cannot be written: there is no folder '{path.parent}'"
    return "" if os.access(path if path.exists() else path.parent, os.W_OK) else f"'{path}' may not be written"


def _folder_fault(path: Path) -> str:
    there = next(_existing(path))
    if not there.is_dir():
        return f"'{there}' is no folder"
    return "" if os.access(there, os.W_OK) else f"'{path}' may not be written"


def _existing(path: Path) -> Iterator[Path]:
    """Of the path and the folders above it those that exist, the nearest first."""
    return (one for one in (path, *path.absolute().parents) if one.exists())
