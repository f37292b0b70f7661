"""A `Store` in memory, with the checks of a registry."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from scheduler.bundle.port import Document
from scheduler.errors import DigestMismatchError, NotFoundError


class FakeStore:
    """All repositories of one imaginary registry."""

    def __init__(self) -> None:
        self.manifests: dict[tuple[str, str], Document] = {}
        self.blobs: dict[tuple[str, str], bytes] = {}

    def manifest(self, repository: str, reference: str) -> Document:
        if (repository, reference) not in self.manifests:
            raise NotFoundError(f"the registry has no {repository}:{reference}")
        return self.manifests[repository, reference]

    @contextmanager
    def blob(self, repository: str, digest: str) -> Iterator[Iterator[bytes]]:
        if (repository, digest) not in self.blobs:
            raise NotFoundError(f"the registry has no {repository}@{digest}")
        content = self.blobs[repository, digest]
        yield (content[at : at + 3] for at in range(0, len(content), 3))

    def has_blob(self, repository: str, digest: str) -> bool:
        return (repository, digest) in self.blobs

    def put_blob(self, repository: str, digest: str, *, size: int, content: Iterable[bytes]) -> None:
        joined = b"".join(content)
        if len(joined) != size or digest_of(joined) != digest:
            raise DigestMismatchError(f"the registry refuses {repository}@{digest}: its bytes do not have that digest")
        self.blobs[repository, digest] = joined

    def put_manifest(self, repository: str, reference: str, document: Document) -> None:
        self.manifests[repository, reference] = document
        self.manifests[repository, digest_of(document.content)] = document


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
