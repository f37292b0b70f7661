"""Text files of an IR folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from scheduler.errors import NotFoundError, TooLargeError
from scheduler.ir import limits

SUFFIXES: Final = (".yaml", ".yml", ".json")


class Text(NamedTuple):
    """One document file by its name within the folder."""

    file: str
    content: str | bytes
    fault: str = ""
    """Why it was not read."""


def texts(path: Path) -> Iterator[Text]:
    """Each document file below the folder (or the one file), sorted by name; hidden ones are left out.

    NotFoundError when there is none at `path`, TooLargeError once all texts together are more than the limit.
    """
    if not path.exists():
        raise NotFoundError(f"there is no folder or file '{path}'")
    folder = path if path.is_dir() else path.parent
    left = limits.BYTES
    files = _files(path)
    if not files:
        ends = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
        why = f"has no file of an IR ({ends})" if path.is_dir() else "is neither a folder nor a regular file"
        raise NotFoundError(f"'{path}' {why}")
    for file in files:
        name = file.relative_to(folder).as_posix()
        text = _read(file, name, folder, left + 1)
        left -= len(text.content)
        if left < 0:
            raise TooLargeError(f"{name}: more than {limits.BYTES // (1024 * 1024)} MiB of text in all files together")
        yield text


def _read(file: Path, name: str, folder: Path, most: int) -> Text:
    if not file.resolve().is_relative_to(folder.resolve()):
        return Text(name, b"", "the file is a link that leads out of the IR folder")
    try:
        with file.open("rb") as opened:
            return Text(name, opened.read(most))
    except OSError as error:
        return Text(name, b"", f"the file cannot be read: {error.strerror}")


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
