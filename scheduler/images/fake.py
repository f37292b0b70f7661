"""A builder, a registry and its content in memory, for tests: remembers what was built, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scheduler import digests
from scheduler.errors import DigestMismatchError, NotFoundError, ProgramError
from scheduler.images.references import split
from scheduler.images.store import Document


class FakeRegistry:
    """Holds digests by reference, and knows what was put into its store."""

    def __init__(self, digests: Mapping[str, str] | None = None, *, store: FakeStore | None = None) -> None:
        self.digests = dict(digests or {})
        self._store = store

    def digest(self, reference: str) -> str | None:
        _, repository, tag = split(reference)
        document = self._store.manifests.get((repository, tag)) if self._store else None
        return digests.of(document.content) if document else self.digests.get(reference)


class FakeBuilder:
    """'Builds' by remembering; pushes into a FakeRegistry."""

    def __init__(self, registry: FakeRegistry) -> None:
        self.registry = registry
        self.built: list[tuple[str, Mapping[str, str], tuple[str, ...]]] = []
        """(reference, arguments, paths in the context)"""

    def build(self, *, reference: str, folder: Path, containerfile: Path, args: Mapping[str, str]) -> None:
        if "FAIL" in containerfile.read_text():
            raise ProgramError("buildah ended with 1: FAIL", output="FAIL")
        paths = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
        self.built.append((reference, dict(args), tuple(paths)))

    def push(self, reference: str) -> str:
        digest = digests.of(reference.encode())
        host, repository, _ = split(reference)
        self.registry.digests |= {reference: digest, f"{host}/{repository}@{digest}": digest}
        return digest


class FakeStore:
    """A `Store` in memory with the checks of a registry: all repositories of an imaginary one."""

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
        if len(joined) != size or digests.of(joined) != digest:
            raise DigestMismatchError(f"the registry refuses {repository}@{digest}: its bytes do not have that digest")
        self.blobs[repository, digest] = joined

    def put_manifest(self, repository: str, reference: str, document: Document) -> None:
        self.manifests[repository, reference] = document
        self.manifests[repository, digests.of(document.content)] = document
