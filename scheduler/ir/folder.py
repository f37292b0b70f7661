"""Text files of an IR folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scheduler.errors import NotFoundError, TooLargeError
from scheduler.ir import limits

SUFFIXES: Final = (".yaml", ".yml", ".json")


def texts(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Each document file below the folder (or the one file) by its relative name, sorted; hidden ones are left out.

    None in place of the text when the file is a link that leads out of the folder. NotFoundError when there is
    nothing at `path`, TooLargeError once all texts together are more than the limit.
    """
    if not path.exists():
        raise NotFoundError(f"there is no folder or file '{path}'")
    folder = path if path.is_dir() else path.parent
    left = limits.BYTES
    for file in _files(path):
        name = file.relative_to(folder).as_posix()
        if not file.resolve().is_relative_to(folder.resolve()):
            yield name, None
            continue
        with file.open("rb") as opened:
            text = opened.read(left + 1)
        left -= len(text)
        if left < 0:
            raise TooLargeError(f"{name}: more than {limits.BYTES // (1024 * 1024)} MiB of text in all files together")
        yield name, text


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix in SUFFIXES and file.is_file() and not _is_hidden(file.relative_to(path))
    )


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
