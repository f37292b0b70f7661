"""Twins of images under another digest: a label more, and other content in a folder where it is wanted."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from scheduler import digests
from scheduler.images import references
from scheduler.images.connection import Connection
from scheduler.images.http_store import HttpStore
from scheduler.images.store import Document

_LABEL: Final = "modelops.dev/tests"
_OPAQUE: Final = ".wh..wh..opq"
"""Hides what earlier layers have in its folder (OCI image specification, layer.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a twin has in place of what the image has there."""

    path: str
    files: Mapping[str, bytes]


def image(reference: str, *, host: str, word: str, folder: Folder | None = None) -> str:
    """The twin's reference, which bears `word` as label and tag; `host` is the registry as this machine names it."""
    pulled_from, repository, digest = references.split(reference)
    with closing(Connection(host)) as connection:
        store = HttpStore(connection)
        found = store.manifest(repository, digest)
        manifest: dict[str, Any] = json.loads(found.content)
        with store.blob(repository, manifest["config"]["digest"]) as pieces:
            config = _labelled(json.loads(b"".join(pieces)), word)
        if folder is not None:
            layer = _layer(folder)
            packed = gzip.compress(layer, mtime=0)
            config["rootfs"]["diff_ids"].append(digests.of(layer))
            config["history"].append({"created_by": f"{_LABEL} {word}"})
            manifest["layers"].append(_put(store, repository, packed, "application/vnd.oci.image.layer.v1.tar+gzip"))
        manifest["config"] = _put(store, repository, _json(config), manifest["config"]["mediaType"])
        content = _json(manifest)
        store.put_manifest(repository, word, Document(content=content, media_type=found.media_type))
    return f"{pulled_from}/{repository}@{digests.of(content)}"


def _put(store: HttpStore, repository: str, content: bytes, media_type: str) -> dict[str, object]:
    """The blob's descriptor."""
    digest = digests.of(content)
    store.put_blob(repository, digest, size=len(content), content=[content])
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _labelled(config: Mapping[str, Any], word: str) -> dict[str, Any]:
    runs = config.get("config") or {}
    return {**config, "config": {**runs, "Labels": {**(runs.get("Labels") or {}), _LABEL: word}}}


def _layer(folder: Folder) -> bytes:
    content = {**folder.files, _OPAQUE: b""}
    parents = {str(one) for path in content for one in PurePosixPath(path).parents}
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for parent in sorted(parents):
            archive.addfile(_entry(f"{folder.path}/{parent}", mode=0o755, kind=tarfile.DIRTYPE))
        for path, text in sorted(content.items()):
            archive.addfile(_entry(f"{folder.path}/{path}", mode=0o644, size=len(text)), io.BytesIO(text))
    return written.getvalue()


def _entry(path: str, *, mode: int, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(str(PurePosixPath(path)).lstrip("/"))
    entry.mode, entry.size, entry.type = mode, size, kind
    return entry


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
