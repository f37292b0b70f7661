"""A registry's content: whole manifests and blobs, read and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A manifest or an index, byte for byte: its digest is that of these bytes."""

    content: bytes
    media_type: str


class Store(Protocol):
    """One registry's content.

    It answers 404: NotFoundError; wants another login: ForbiddenError; does not answer, or fails: UnavailableError.
    """

    def manifest(self, repository: str, reference: str) -> Document:
        """The manifest of a tag or digest."""
        ...

    def blob(self, repository: str, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        """The blob's bytes in pieces, as they come; nobody has checked them."""
        ...

    def has_blob(self, repository: str, digest: str) -> bool: ...

    def put_blob(self, repository: str, digest: str, *, size: int, content: Iterable[bytes]) -> None:
        """Store a blob; DigestMismatchError when its bytes do not have that digest."""
        ...

    def put_manifest(self, repository: str, reference: str, document: Document) -> None:
        """Store a manifest under a tag or its digest; its blobs must be there."""
        ...
