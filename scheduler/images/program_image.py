"""The image of one program, written straight into a registry (OCI image specification), without root and buildah."""

from __future__ import annotations

import gzip
import json
import platform
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from scheduler import digests
from scheduler.images.store import Document, Store

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
_CREATED: Final = 1
"""Time of every image and of the file in it, in seconds since 1970: equal content, equal digest."""
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
"""What Go calls machines that are known by another name; the specification follows it."""
_PIECE: Final = 1 << 20


def push(program: Path, *, repository: str, tag: str, store: Store) -> str:
    """The digest of an image that holds the program alone, as `/<its name>`, and runs it; it is in the store then.

    It is what `FROM scratch`, `COPY` and `ENTRYPOINT` say. A file `<program>.layer` is left beside the program.
    """
    layer = program.with_name(f"{program.name}.layer")
    content = _write_layer(program, layer)
    config = _json(_description(program.name, content))
    packed = digests.of_file(layer)
    _put([config], digest=digests.of(config), size=len(config), repository=repository, store=store)
    _put(_pieces(layer), digest=packed, size=layer.stat().st_size, repository=repository, store=store)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "digest": digests.of(config), "size": len(config)},
        "layers": [{"mediaType": _LAYER, "digest": packed, "size": layer.stat().st_size}],
    }
    document = Document(content=_json(manifest), media_type=_MANIFEST)
    store.put_manifest(repository, tag, document)
    return digests.of(document.content)


def _put(pieces: Iterable[bytes], *, digest: str, size: int, repository: str, store: Store) -> None:
    if not store.has_blob(repository, digest):
        store.put_blob(repository, digest, size=size, content=pieces)


def _write_layer(program: Path, layer: Path) -> str:
    """Write the archive, compressed; the digest of what it holds before that."""
    archive = layer.with_suffix(".tar")
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar, program.open("rb") as opened:
        entry = tarfile.TarInfo(program.name)
        entry.size, entry.mode, entry.mtime = program.stat().st_size, 0o755, _CREATED
        tar.addfile(entry, opened)
    # neither a name nor the time goes into the head
    with layer.open("wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        for piece in _pieces(archive):
            packed.write(piece)
    content = digests.of_file(archive)
    archive.unlink()
    return content


def _description(name: str, content: str) -> Mapping[str, Any]:
    created = "1970-01-01T00:00:01Z"
    machine = platform.machine()
    return {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": created,
        "config": {"Entrypoint": [f"/{name}"]},
        "rootfs": {"type": "layers", "diff_ids": [content]},
        "history": [{"created": created, "created_by": f"COPY {name} /{name}"}],
    }


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
