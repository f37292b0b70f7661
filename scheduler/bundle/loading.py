"""`bundle load`: put a bundle's images into a registry and its charts into a folder."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from scheduler.bundle import contents
from scheduler.bundle.contents import Contents, Descriptor
from scheduler.bundle.pieces import checked
from scheduler.errors import DigestMismatchError, InvalidInputError
from scheduler.images.store import Document, Store
from scheduler.model.problem import Problem

_PIECE: Final = 1 << 20
_DOCUMENT_BYTES: Final = 4 << 20


def load(source: Path, *, store: Store, charts: Path | None, tell: Callable[[str], None]) -> Contents:
    """What the bundle holds, when all of it is in the registry as `modelops/<name>`, checked digest by digest.

    Blobs that the registry has are not sent again. Charts are written into the folder `charts`, when there is one.
    """
    try:
        with tarfile.open(source, "r:") as archive:
            bundle = _Opened(archive)
            found = contents.parse(bundle.text(contents.MANIFEST).decode())
            bundle.check_charts(found, charts)
            for name, digest in sorted(found.images.items()):
                sent = bundle.image(f"modelops/{name}", digest, store)
                tell(f"{name}: {sent / 1e6:,.1f} MB sent")
            return found
    except (tarfile.TarError, OSError, UnicodeDecodeError) as error:
        raise _damaged(source.name, str(error)) from error


class _Opened:
    """An archive that is read; by name, in any order."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members = {member.name: member for member in archive.getmembers() if member.isfile()}

    def text(self, path: str) -> bytes:
        member = self._member(path)
        if member.size > _DOCUMENT_BYTES:
            raise _damaged(path, f"it has {member.size} bytes")
        with self._open(path) as file:
            return file.read()

    def check_charts(self, found: Contents, folder: Path | None) -> None:
        for name, digest in sorted(found.charts.items()):
            if PurePosixPath(name).name != name:
                raise _damaged(contents.MANIFEST, f"'{name}' is no file name")
            content = self.text(f"charts/{name}")
            _same(content, digest, f"chart {name}")
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)

    def image(self, repository: str, digest: str, store: Store) -> int:
        """Bytes that had to be sent."""
        content = self.text(contents.blob_path(digest))
        _same(content, digest, f"manifest of {repository}")
        manifests, blobs = contents.children(content)
        sent = sum(self.image(repository, child.digest, store) for child in manifests)
        sent += sum(self._blob(repository, blob, store) for blob in blobs)
        store.put_manifest(repository, digest, Document(content=content, media_type=contents.media_type(content)))
        return sent

    def _blob(self, repository: str, blob: Descriptor, store: Store) -> int:
        if store.has_blob(repository, blob.digest):
            return 0
        path = contents.blob_path(blob.digest)
        if self._member(path).size != blob.size:
            raise _damaged(path, f"it has {self._member(path).size} bytes, and its manifest says {blob.size}")
        pieces = checked(self._pieces(path), digest=blob.digest, size=blob.size, what=path)
        store.put_blob(repository, blob.digest, size=blob.size, content=pieces)
        return blob.size

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
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != digest:
        raise DigestMismatchError(f"{what} has the digest {found}, not {digest}")


def _damaged(what: str, why: str) -> InvalidInputError:
    return InvalidInputError([Problem(document=what, message=f"is no whole bundle, or none at all: {why}")])
