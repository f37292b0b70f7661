"""Artifacts in files named by the SHA-256 of their content; nothing in it is ever changed.

artifacts/<first two digits>/<digest>       content, read-only
parts/<random>.part                         a PUT at work
damaged/<digest>                            content that no longer had its digest when it was read
grants/<environment>/<digest>               empty: the environment's jobs may read it
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from scheduler.artifacts import digest, durable
from scheduler.errors import DigestMismatchError, NotFoundError, TooLargeError

_STALE_SECONDS: Final = 24 * 3600
_READ_ONLY: Final = 0o440


class Part:
    """An artifact that is being written."""

    def __init__(self, file: BinaryIO, *, most_bytes: int) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._most_bytes = most_bytes
        self.size = 0

    def write(self, block: bytes) -> None:
        self.size += len(block)
        if self.size > self._most_bytes:
            raise TooLargeError(f"an artifact may have at most {self._most_bytes} bytes")
        self._digest.update(block)
        self._file.write(block)

    def finish(self, sha256: str) -> Path:
        """The file, on the disk, when its content has that digest; else a DigestMismatchError that names both."""
        if self._digest.hexdigest() != sha256:
            raise DigestMismatchError(f"the content has the digest {self._digest.hexdigest()}, not {sha256}")
        return durable.flush(self._file)


@dataclass(frozen=True, slots=True)
class Content:
    """An artifact that is there: its size, and its bytes, once."""

    size: int
    blocks: Iterator[bytes]


class ArtifactStore:
    """The artifacts below one folder. Safe for many threads, and for two programs on one volume."""

    def __init__(self, root: Path, *, most_bytes: int) -> None:
        self._root = root
        self._most_bytes = most_bytes
        for name in ("artifacts", "parts", "damaged", "grants"):
            durable.make_folder(root / name)
        self._sweep()

    def has(self, sha256: str) -> bool:
        return self._path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Bytes of the artifact; NotFoundError without it."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError as error:
            raise _missing(sha256) from error

    def put(self, sha256: str, blocks: Iterable[bytes]) -> bool:
        """Keep the content under its digest; whether it was new. Nothing is kept unless the digest is right."""
        with self.part() as part:
            for block in blocks:
                part.write(block)
            return self.keep(part, sha256)

    @contextmanager
    def part(self) -> Iterator[Part]:
        """For content that comes bit by bit; gone at the end of the `with` unless `keep` was called."""
        with durable.part_file(self._root / "parts") as file:
            yield Part(file, most_bytes=self._most_bytes)

    def keep(self, part: Part, sha256: str) -> bool:
        """Keep a part under its digest; whether it was new. What stood there is replaced: it is equal, or damaged."""
        target = self._path(sha256)
        finished = part.finish(sha256)
        durable.make_folder(target.parent)
        is_new = not target.exists()
        finished.chmod(_READ_ONLY)
        durable.replace(finished, target)
        return is_new

    def read(self, sha256: str) -> Content:
        """The artifact's content, checked while it is read. NotFoundError without it.

        The last block comes only after the whole had the right digest, so that a reader never has damaged content in
        full; a damaged file is put aside, DigestMismatchError is told of it from then on, and the next PUT of the
        content heals the store.
        """
        path = self._path(sha256)
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            if (self._root / "damaged" / sha256).exists():
                raise _damaged(sha256) from error
            raise _missing(sha256) from error
        return Content(size=path.stat().st_size, blocks=self._checked(file, sha256))

    def grant(self, sha256: str, environment: str) -> None:
        """Let the environment's jobs read the artifact; again is fine. `environment` is a checked name."""
        if not self.has(sha256):
            raise _missing(sha256)
        folder = self._root / "grants" / environment
        durable.make_folder(folder)
        (folder / sha256).touch()
        durable.flush_folder(folder)

    def is_granted(self, sha256: str, environment: str) -> bool:
        return (self._root / "grants" / environment / digest.checked(sha256)).is_file()

    def _path(self, sha256: str) -> Path:
        return self._root / "artifacts" / digest.checked(sha256)[:2] / sha256

    def _checked(self, file: BinaryIO, sha256: str) -> Iterator[bytes]:
        made = hashlib.sha256()
        with file:
            held = file.read(digest.BLOCK)
            while held:
                made.update(held)
                following = file.read(digest.BLOCK)
                if not following and made.hexdigest() != sha256:
                    self._put_aside(sha256)
                    raise _damaged(sha256)
                yield held
                held = following

    def _put_aside(self, sha256: str) -> None:
        with suppress(FileNotFoundError):
            durable.replace(self._path(sha256), self._root / "damaged" / sha256)

    def _sweep(self) -> None:
        """Remove parts that a killed program left."""
        oldest = time.time() - _STALE_SECONDS
        for path in (self._root / "parts").glob("*.part"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def _missing(sha256: str) -> NotFoundError:
    return NotFoundError(f"there is no artifact {sha256}")


def _damaged(sha256: str) -> DigestMismatchError:
    return DigestMismatchError(f"the artifact {sha256} is damaged in the store; upload it again")
