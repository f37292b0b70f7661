"""Collects the files of a build context and lays them out in a folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scheduler.errors import InvalidInputError
from scheduler.images.content import ContextFile
from scheduler.images.step import BuildStep
from scheduler.model.problem import Problem

_IGNORED_FOLDERS: Final = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The files of one build: path in the context -> file on disk."""

    containerfile: str
    """Its text."""
    sources: Mapping[str, Path]

    def files(self) -> tuple[ContextFile, ...]:
        """Every file with its digest; reads them all, and refuses those that cannot be read, all at once."""
        return described(self.sources)

    def lay_out(self, folder: Path) -> Path:
        """Copy everything below `folder`, modes reduced to 0644 and 0755; returns the Containerfile's path."""
        for path, source in self.sources.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o755 if _is_executable(source) else 0o644)
        containerfile = folder.parent / f"{folder.name}.Containerfile"
        containerfile.write_text(self.containerfile, encoding="utf-8")
        return containerfile


def gather(step: BuildStep, *, root: Path, binaries: Sequence[Path] = ()) -> Context:
    """The context of a step below the project's `root`; programs come from the folders `binaries`, else from PATH.

    Whatever is missing is reported at once; a Containerfile that is no text is refused.
    """
    containerfile = root / "charts" / "subcharts" / step.chart / step.containerfile
    programs = {name: find_program(name, binaries) for name in step.programs}
    problems = [
        *([] if containerfile.is_file() else [_missing(step, "containerfile", step.containerfile)]),
        *_missing_paths(step, root),
        *(_missing(step, "program", name) for name, found in programs.items() if found is None),
    ]
    if problems:
        raise InvalidInputError(problems)
    sources = {
        **{
            str(file.relative_to(containerfile.parent)): file
            for file in walk(containerfile.parent)
            if file != containerfile
        },
        **{str(file.relative_to(root)): file for path in step.context for file in walk(root / path)},
        **{f"bin/{name}": found for name, found in programs.items() if found is not None},
    }
    return Context(containerfile=_text(step, containerfile), sources=sources)


def of_program(step: BuildStep, program: Path) -> Context:
    """The context of an image that holds one program, as `/<name of the image>`, and nothing else."""
    containerfile = f'FROM scratch\nCOPY {step.name} /{step.name}\nENTRYPOINT ["/{step.name}"]\n'
    return Context(containerfile=containerfile, sources={step.name: program})


def folders(step: BuildStep, *, root: Path) -> tuple[Path, ...]:
    """Where the files of a step's `context` are; what is not there is reported at once."""
    problems = _missing_paths(step, root)
    if problems:
        raise InvalidInputError(problems)
    return tuple(root / path for path in step.context)


def find_program(name: str, folders: Iterable[Path]) -> Path | None:
    """The executable of that name in the first folder that has it, else on PATH."""
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            return folder / name
    found = shutil.which(name)
    return Path(found) if found else None


def described(sources: Mapping[str, Path]) -> tuple[ContextFile, ...]:
    """Path in the context -> file on disk, as the files that the content's tag counts, by path.

    What cannot be read, such as a link to nothing, is refused, all at once.
    """
    found, problems = [], []
    for path, source in sorted(sources.items()):
        try:
            with source.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            why = f"is a link to '{source.readlink()}', which is not there" if source.is_symlink() else error.strerror
            problems.append(Problem(document=path, message=f"cannot be read: {why}"))
        else:
            found.append(ContextFile(path=path, sha256=digest, is_executable=_is_executable(source)))
    if problems:
        raise InvalidInputError(problems)
    return tuple(found)


def _text(step: BuildStep, containerfile: Path) -> str:
    try:
        return containerfile.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        problem = Problem(document=f"{step.chart}/{step.containerfile}", message=f"cannot be read: {error}")
        raise InvalidInputError([problem]) from error


def walk(path: Path) -> Iterator[Path]:
    """The files of a folder that belong to it, links followed; a file is its own.

    Left out are caches, and what helm puts beside charts: archives of those that one depends on, and Chart.lock.
    """
    if path.is_file():
        yield path
        return
    # charts link to the charts they depend on: the context holds the files themselves, as helm would pack them
    for folder, subfolders, files in os.walk(path, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if name not in _IGNORED_FOLDERS)
        for name in sorted(files):
            if not name.endswith(".pyc") and not _is_of_helm(Path(folder, name), beside=files):
                yield Path(folder) / name


def _is_of_helm(file: Path, *, beside: Sequence[str]) -> bool:
    if file.name == "Chart.lock":  # helm writes the time into it
        return "Chart.yaml" in beside
    return file.suffix == ".tgz" and file.parent.name == "charts"


def _is_executable(file: Path) -> bool:
    return os.access(file, os.X_OK)


def _missing_paths(step: BuildStep, root: Path) -> list[Problem]:
    return [_missing(step, "context", path) for path in step.context if not (root / path).exists()]


def _missing(step: BuildStep, what: str, name: str) -> Problem:
    return Problem(
        document=f"{step.chart}/values.yaml", pointer="/builds", message=f"{step.name}: {what} '{name}' is not there"
    )
