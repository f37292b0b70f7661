"""An image with one program, written without a builder."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

from scheduler import digests
from scheduler.images import program_image
from scheduler.images.fake import FakeStore

REPOSITORY = "modelops/engine"


def pushed(folder: Path, store: FakeStore, *, content: bytes = b"program", seconds: int = 5) -> str:
    folder.mkdir(exist_ok=True)
    program = folder / "engine"
    program.write_bytes(content)
    os.utime(program, (seconds, seconds))
    return program_image.push(program, repository=REPOSITORY, tag="t", store=store)


def test_the_manifest_names_what_is_in_the_store(tmp_path: Path) -> None:
    store = FakeStore()

    digest = pushed(tmp_path, store)

    document = store.manifest(REPOSITORY, "t")
    manifest = json.loads(document.content)
    assert (digest, document.media_type) == (digests.of(document.content), manifest["mediaType"])
    sizes = {described["digest"]: described["size"] for described in (manifest["config"], *manifest["layers"])}
    assert sizes == {digest: len(content) for (_, digest), content in store.blobs.items()}


def test_the_description_runs_the_program_and_names_the_layer_as_it_is_unpacked(tmp_path: Path) -> None:
    store = FakeStore()
    pushed(tmp_path, store)
    manifest = json.loads(store.manifest(REPOSITORY, "t").content)

    described = json.loads(store.blobs[REPOSITORY, manifest["config"]["digest"]])

    layer = gzip.decompress(store.blobs[REPOSITORY, manifest["layers"][0]["digest"]])
    assert described["rootfs"]["diff_ids"] == [digests.of(layer)]
    assert (described["config"], described["os"]) == ({"Entrypoint": ["/engine"]}, "linux")


def test_equal_programs_have_equal_digests_and_others_do_not(tmp_path: Path) -> None:
    store = FakeStore()
    first = pushed(tmp_path / "one", store)

    assert pushed(tmp_path / "two", store, seconds=9) == first
    assert pushed(tmp_path / "two", store, content=b"other") != first
