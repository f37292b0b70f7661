"""Where artifacts, grants and revisions are kept: bytes under names such as `artifacts/ab/ab12…`.

A name is made of checked words and `/`. What stands under a name is always whole: it appears by one step, and content
that was not finished is nowhere. Every implementation is safe for many threads, and for several programs at once.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Reader(Protocol):
    """Content that is there; what replaces it later does not disturb the reader."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end, none after it."""

    def close(self) -> None: ...


class Writer(Protocol):
    """Content that is being written, and seen by nobody before `finish`."""

    def write(self, block: bytes) -> None: ...

    def finish(self) -> None:
        """Let it stand under its name, for good, in place of what stood there."""


class Objects(Protocol):
    """Raises UnavailableError when the volume or the store behind it does not do its work."""

    def size(self, name: str) -> int | None:
        """Bytes of what stands there; None: nothing."""

    def open(self, name: str) -> Reader | None:
        """What stands there; None: nothing."""

    def writing(self, name: str) -> AbstractContextManager[Writer]:
        """For content that comes bit by bit; without `finish` nothing of it is left."""

    def create(self, name: str, content: bytes) -> bool:
        """Let the content stand there unless something does already; whether it was us. One of many callers wins."""

    def move(self, name: str, target: str) -> None:
        """To another name, in place of what stood there; nothing happens when there is nothing to move."""

    def remove(self, name: str) -> None:
        """Nothing stands there any more."""

    def names(self, folder: str) -> frozenset[str]:
        """The last words of all names below `folder`, and of its folders; those that were there a moment ago, too."""

    def check(self) -> None:
        """UnavailableError, soon, when it cannot be used at the moment."""
