"""Artifacts under the SHA-256 of their content; nothing in it is ever changed.

artifacts/<first two digits>/<digest>       content
damaged/<digest>                            content that no longer had its digest when it was read
grants/<environment>/<digest>               empty: the environment's jobs may read it
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from scheduler.artifacts import digest
from scheduler.artifacts.objects import Objects, Reader, Writer
from scheduler.errors import DigestMismatchError, NotFoundError, TooLargeError


class Part:
    """An artifact that is being written."""

    def __init__(self, writer: Writer, sha256: str, *, most_bytes: int) -> None:
        self._writer = writer
        self._digest = hashlib.sha256()
        self._most_bytes = most_bytes
        self.sha256 = sha256
        self.size = 0

    def write(self, block: bytes) -> None:
        self.size += len(block)
        if self.size > self._most_bytes:
            raise TooLargeError(f"an artifact may have at most {self._most_bytes} bytes")
        self._digest.update(block)
        self._writer.write(block)

    def finish(self) -> None:
        """Let it be an artifact when its content has its digest; else a DigestMismatchError that names both."""
        if self._digest.hexdigest() != self.sha256:
            raise DigestMismatchError(f"the content has the digest {self._digest.hexdigest()}, not {self.sha256}")
        self._writer.finish()


@dataclass(frozen=True, slots=True)
class Content:
    """An artifact that is there: its size, and its bytes, once."""

    size: int
    blocks: Iterator[bytes]


class ArtifactStore:
    """The artifacts on a volume or in an object store. Safe for many threads, and for several programs at once."""

    def __init__(self, objects: Objects, *, most_bytes: int) -> None:
        self._objects = objects
        self._most_bytes = most_bytes

    def has(self, sha256: str) -> bool:
        return self._objects.size(_name(sha256)) is not None

    def size(self, sha256: str) -> int:
        """Bytes of the artifact; NotFoundError without it."""
        found = self._objects.size(_name(sha256))
        if found is None:
            raise _missing(sha256)
        return found

    def put(self, sha256: str, blocks: Iterable[bytes]) -> bool:
        """Keep the content under its digest; whether it was new. Nothing is kept unless the digest is right."""
        with self.part(sha256) as part:
            for block in blocks:
                part.write(block)
            return self.keep(part)

    @contextmanager
    def part(self, sha256: str) -> Iterator[Part]:
        """For content that comes bit by bit; gone at the end of the `with` unless `keep` was called."""
        with self._objects.writing(_name(sha256)) as writer:
            yield Part(writer, sha256, most_bytes=self._most_bytes)

    def keep(self, part: Part) -> bool:
        """Keep a part under its digest; whether it was new. What stood there is replaced: it is equal, or damaged."""
        is_new = not self.has(part.sha256)
        part.finish()
        return is_new

    def read(self, sha256: str) -> Content:
        """The artifact's content, checked while it is read. NotFoundError without it.

        The last block comes only after the whole had the right digest, so that a reader never has damaged content in
        full; damaged content is put aside, DigestMismatchError is told of it from then on, and the next PUT of the
        content heals the store.
        """
        reader = self._objects.open(_name(sha256))
        if reader is None:
            is_damaged = self._objects.size(f"damaged/{sha256}") is not None
            raise _damaged(sha256) if is_damaged else _missing(sha256)
        return Content(size=reader.size, blocks=self._checked(reader, sha256))

    def grant(self, sha256: str, environment: str) -> None:
        """Let the environment's jobs read the artifact; again is fine. `environment` is a checked name."""
        if not self.has(sha256):
            raise _missing(sha256)
        self._objects.create(f"grants/{environment}/{sha256}", b"")

    def is_granted(self, sha256: str, environment: str) -> bool:
        return self._objects.size(f"grants/{environment}/{digest.checked(sha256)}") is not None

    def _checked(self, reader: Reader, sha256: str) -> Iterator[bytes]:
        made = hashlib.sha256()
        with closing(reader):
            held = reader.read(digest.BLOCK)
            while held:
                made.update(held)
                following = reader.read(digest.BLOCK)
                if not following and made.hexdigest() != sha256:
                    self._objects.move(_name(sha256), f"damaged/{sha256}")
                    raise _damaged(sha256)
                yield held
                held = following


def _name(sha256: str) -> str:
    return f"artifacts/{digest.checked(sha256)[:2]}/{sha256}"


def _missing(sha256: str) -> NotFoundError:
    return NotFoundError(f"there is no artifact {sha256}")


def _damaged(sha256: str) -> DigestMismatchError:
    return DigestMismatchError(f"the artifact {sha256} is damaged in the store; upload it again")
