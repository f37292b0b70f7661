"""Bytes that pass through, checked against the digest and size that they were promised with."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator

from scheduler.errors import DigestMismatchError


def checked(pieces: Iterable[bytes], *, digest: str, size: int, what: str) -> Iterator[bytes]:
    """The pieces; DigestMismatchError behind the last when they are not what was promised, or as soon as too many."""
    made = hashlib.sha256()
    seen = 0
    for piece in pieces:
        made.update(piece)
        seen += len(piece)
        if seen > size:
            raise DigestMismatchError(f"{what} has more than the {size} bytes that its manifest says")
        yield piece
    found = f"sha256:{made.hexdigest()}"
    if seen != size or found != digest:
        raise DigestMismatchError(f"{what} has {seen} bytes of digest {found}, not {size} of {digest}")


class Reader(io.RawIOBase):
    """The pieces as a file that is read once, as tarfile wants it; no more than one piece is held."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Exactly `size` bytes, fewer only at the end; what the pieces raise is raised here."""
        parts: list[bytes] = []
        wanted = size if size >= 0 else -1
        while wanted:
            if not self._left:
                self._left = next(self._pieces, b"")
                if not self._left:
                    break
            taken = self._left if wanted < 0 else self._left[:wanted]
            self._left = self._left[len(taken) :]
            parts.append(taken)
            wanted -= len(taken) if wanted > 0 else 0
        return b"".join(parts)

    def finish(self) -> None:
        """Read on to the end, which is where the pieces are checked; there must be nothing left."""
        if self.read():
            raise DigestMismatchError("there are more bytes than were promised")
