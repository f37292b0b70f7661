"""`bundle create`: copy all images of a platform and its charts into one archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import scheduler
from scheduler import digests
from scheduler.bundle import contents, packing
from scheduler.bundle.contents import Contents, Descriptor
from scheduler.bundle.pieces import Reader, checked
from scheduler.errors import DigestMismatchError
from scheduler.images.references import split
from scheduler.images.store import Store

Tell = Callable[[str], None]


def create(
    target: Path, images: Mapping[str, str], charts: Sequence[Path], *, store_of: Callable[[str], Store], tell: Tell
) -> Contents:
    """Write the archive; it appears whole or not at all. `store_of` gives the registry of a host.

    Every blob is checked against its digest while it is copied. References of `images` are by digest.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
            made = _Bundle(archive, tell)
            tops = {name: made.image(name, reference, store_of) for name, reference in sorted(images.items())}
            packed = [packing.pack(chart) for chart in charts]
            for name, content in packed:
                made.add(f"charts/{name}", content)
            found = Contents(
                platform=scheduler.__version__,
                images={name: top.digest for name, top in tops.items()},
                charts={name: digests.of(content) for name, content in packed},
            )
            made.add(contents.LAYOUT, contents.LAYOUT_TEXT.encode())
            made.add(contents.INDEX, contents.index_text(tops).encode())
            made.add(contents.MANIFEST, found.text().encode())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return found


class _Bundle:
    """An archive that is being written; what is in it already is not copied again."""

    def __init__(self, archive: tarfile.TarFile, tell: Tell) -> None:
        self._archive = archive
        self._tell = tell
        self._known: set[str] = set()

    def image(self, name: str, reference: str, store_of: Callable[[str], Store]) -> Descriptor:
        host, repository, digest = split(reference)
        size_before = self._archive.offset
        top = self._manifest(store_of(host), repository, digest)
        self._tell(f"{name}: {(self._archive.offset - size_before) / 1e6:,.1f} MB")
        return top

    def add(self, path: str, content: bytes) -> None:
        self._archive.addfile(_entry(path, len(content)), io.BytesIO(content))

    def _manifest(self, store: Store, repository: str, digest: str) -> Descriptor:
        document = store.manifest(repository, digest)
        if digests.of(document.content) != digest:
            found = digests.of(document.content)
            raise DigestMismatchError(f"the manifest of {repository} has the digest {found}, not {digest}")
        manifests, blobs = contents.children(document.content)
        for child in manifests:
            self._manifest(store, repository, child.digest)
        for blob in blobs:
            self._blob(store, repository, blob)
        if digest not in self._known:
            self.add(contents.blob_path(digest), document.content)
            self._known.add(digest)
        media_type = document.media_type or contents.media_type(document.content)
        return Descriptor(digest=digest, size=len(document.content), media_type=media_type)

    def _blob(self, store: Store, repository: str, blob: Descriptor) -> None:
        if blob.digest in self._known:
            return
        with store.blob(repository, blob.digest) as pieces:
            what = f"blob {blob.digest} of {repository}"
            reader = Reader(checked(pieces, digest=blob.digest, size=blob.size, what=what))
            try:
                self._archive.addfile(_entry(contents.blob_path(blob.digest), blob.size), reader)
            except OSError as error:
                if "unexpected end of data" not in str(error):
                    raise
                raise DigestMismatchError(f"{what} ended early") from error
            reader.finish()
        self._known.add(blob.digest)


def _entry(path: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = size, 0o644
    return entry
