"""Objects in files below one folder: a volume that several programs may share.

<name>                   content, read-only
parts/<random>.part      content that is not finished; what a killed program left is swept after a day
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from scheduler.artifacts import durable
from scheduler.artifacts.objects import Objects, Reader, Writer
from scheduler.errors import UnavailableError

_STALE_SECONDS: Final = 24 * 3600
_READ_ONLY: Final = 0o440


class _File:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def read(self, count: int) -> bytes:
        return self._file.read(count)

    def close(self) -> None:
        self._file.close()


class _Part:
    def __init__(self, file: BinaryIO, target: Path) -> None:
        self._file = file
        self._target = target

    def write(self, block: bytes) -> None:
        self._file.write(block)

    def finish(self) -> None:
        part = durable.flush(self._file)
        part.chmod(_READ_ONLY)
        durable.make_folder(self._target.parent)
        durable.replace(part, self._target)


class Volume(Objects):
    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts = root / "parts"
        with durable.told_when_full():
            durable.make_folder(self._parts)
        self._sweep()

    def size(self, name: str) -> int | None:
        path = self._root / name
        try:
            return path.stat().st_size if path.is_file() else None
        except FileNotFoundError:
            return None

    def open(self, name: str) -> Reader | None:
        try:
            return _File((self._root / name).open("rb"))
        except FileNotFoundError:
            return None

    @contextmanager
    def writing(self, name: str) -> Iterator[Writer]:
        with durable.part_file(self._parts) as file:
            yield _Part(file, self._root / name)

    def create(self, name: str, content: bytes) -> bool:
        target = self._root / name
        with durable.part_file(self._parts) as file:
            file.write(content)
            part = durable.flush(file)
            durable.make_folder(target.parent)
            return durable.claim(part, target)

    def move(self, name: str, target: str) -> None:
        with durable.told_when_full():
            durable.make_folder((self._root / target).parent)
            with suppress(FileNotFoundError):
                durable.replace(self._root / name, self._root / target)

    def remove(self, name: str) -> None:
        (self._root / name).unlink(missing_ok=True)

    def names(self, folder: str) -> frozenset[str]:
        try:
            return frozenset(path.name for path in (self._root / folder).iterdir())
        except FileNotFoundError:
            return frozenset()

    def check(self) -> None:
        if not os.access(self._parts, os.W_OK):
            raise UnavailableError("the artifact store's volume cannot be written to")

    def _sweep(self) -> None:
        """Remove parts that a killed program left."""
        oldest = time.time() - _STALE_SECONDS
        for path in self._parts.glob("*.part"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
