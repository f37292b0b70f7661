"""Files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from scheduler.errors import UnavailableError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def part_file(folder: Path) -> Iterator[BinaryIO]:
    """A new file in `folder` that only we write; gone at the end unless it was renamed. Opened exclusively."""
    path = folder / f"{uuid.uuid4().hex}.part"
    try:
        with told_when_full(), path.open("xb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def flush(file: BinaryIO) -> Path:
    """Bring all that was written to the disk; the file's path."""
    file.flush()
    os.fsync(file.fileno())
    return Path(file.name)


def replace(path: Path, target: Path) -> None:
    """Rename onto `target`, whatever stands there, and bring the name to the disk."""
    path.replace(target)
    flush_folder(target.parent)


def claim(path: Path, target: Path) -> bool:
    """Give the file the name `target` unless somebody has it already; whether we got it."""
    try:
        os.link(path, target)
    except FileExistsError:
        return False
    flush_folder(target.parent)
    return True


def make_folder(path: Path) -> None:
    """`path` with its parents, the names of new ones brought to the disk."""
    if not path.is_dir():
        make_folder(path.parent)
        with suppress(FileExistsError):
            path.mkdir()
        flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def told_when_full() -> Iterator[None]:
    """A full disk as an error of ours: the same call may succeed when there is room again."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UnavailableError("the artifact store's volume is full", retry_after_seconds=60) from error
