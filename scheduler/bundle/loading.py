"""`bundle load`: put a bundle's images into a registry and its charts into a folder."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from scheduler import digests
from scheduler.bundle import contents
from scheduler.bundle.contents import Contents, Descriptor
from scheduler.bundle.pieces import checked
from scheduler.errors import DigestMismatchError, InvalidInputError
from scheduler.images import references
from scheduler.images.store import Document, Store
from scheduler.model.problem import Problem

_PIECE: Final = 1 << 20
_DOCUMENT_BYTES: Final = 4 << 20


def load(source: Path, *, registry: str, store: Store, charts: Path | None, tell: Callable[[str], None]) -> Contents:
    """What the bundle holds, when all of it is in the registry as `modelops/<name>`, checked digest by digest.

    `store` is the content of the registry's host.

    All of the archive is read and checked first: of a bundle that was cut or changed nothing is sent or written, and
    the error names image, part and digest. Blobs that the registry has are not sent again. Charts are written into the
    folder `charts`, when there is one.
    """
    try:
        with tarfile.open(source, "r:") as archive:
            bundle = _Opened(archive)
            found = contents.parse(bundle.text(contents.MANIFEST).decode())
            packed = bundle.charts(found)
            for name, digest in sorted(found.images.items()):
                bundle.check(name, digest)
            for name, digest in sorted(found.images.items()):
                sent = bundle.send(name, digest, references.repository(registry, name), store)
                tell(f"{name}: {sent / 1e6:,.1f} MB sent")
    except (tarfile.TarError, OSError, UnicodeDecodeError) as error:
        raise _damaged(source.name, str(error)) from error
    if charts is not None:
        charts.mkdir(parents=True, exist_ok=True)
        for name, content in packed.items():
            (charts / name).write_bytes(content)
    return found


class _Opened:
    """An archive that is read; by name, in any order."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members = {member.name: member for member in archive.getmembers() if member.isfile()}
        self._checked: set[str] = set()
        """Blobs whose bytes have been found to have their digest."""

    def text(self, path: str) -> bytes:
        member = self._member(path)
        if member.size > _DOCUMENT_BYTES:
            raise _damaged(path, f"it has {member.size} bytes")
        with self._open(path) as file:
            return file.read()

    def charts(self, found: Contents) -> dict[str, bytes]:
        """File name -> content."""
        packed = {}
        for name, digest in sorted(found.charts.items()):
            if PurePosixPath(name).name != name:
                raise _damaged(contents.MANIFEST, f"'{name}' is no file name")
            packed[name] = self.text(f"charts/{name}")
            _same(packed[name], digest, f"chart {name}")
        return packed

    def check(self, image: str, digest: str) -> None:
        """That the image is whole: every part is there, with the size and digest that it should have."""
        manifests, blobs = contents.children(self._manifest(image, digest))
        for child in manifests:
            self.check(image, child.digest)
        for blob in blobs:
            if blob.digest not in self._checked:
                for _ in self._blob(image, blob):
                    pass
                self._checked.add(blob.digest)

    def send(self, image: str, digest: str, repository: str, store: Store) -> int:
        """Bytes that had to be sent."""
        content = self._manifest(image, digest)
        manifests, blobs = contents.children(content)
        sent = sum(self.send(image, child.digest, repository, store) for child in manifests)
        for blob in blobs:
            if not store.has_blob(repository, blob.digest):
                store.put_blob(repository, blob.digest, size=blob.size, content=self._blob(image, blob))
                sent += blob.size
        store.put_manifest(repository, digest, Document(content=content, media_type=contents.media_type(content)))
        return sent

    def _manifest(self, image: str, digest: str) -> bytes:
        content = self.text(contents.blob_path(digest))
        _same(content, digest, f"manifest of {image}")
        return content

    def _blob(self, image: str, blob: Descriptor) -> Iterator[bytes]:
        """Its bytes; behind the last a DigestMismatchError when they are not what was promised."""
        path = contents.blob_path(blob.digest)
        size = self._member(path).size
        if size != blob.size:
            raise _damaged(path, f"it has {size} bytes, and the manifest of {image} says {blob.size}")
        yield from checked(self._pieces(path), digest=blob.digest, size=blob.size, what=f"{path} of {image}")

    def _pieces(self, path: str) -> Iterator[bytes]:
        with self._open(path) as file:
            while piece := file.read(_PIECE):
                yield piece

    def _open(self, path: str) -> IO[bytes]:
        file = self._archive.extractfile(self._member(path))
        if file is None:
            raise _damaged(path, "it is no file")
        return file

    def _member(self, path: str) -> tarfile.TarInfo:
        if path not in self._members:
            raise _damaged(path, "it is not in the bundle")
        return self._members[path]


def _same(content: bytes, digest: str, what: str) -> None:
    found = digests.of(content)
    if found != digest:
        raise DigestMismatchError(f"{what} has the digest {found}, not {digest}")


def _damaged(what: str, why: str) -> InvalidInputError:
    return InvalidInputError([Problem(document=what, message=f"is no whole bundle, or none at all: {why}")])
