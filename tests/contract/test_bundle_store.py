"""What `images.store` promises, kept by the fake and over HTTP with a real registry."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scheduler import digests
from scheduler.bundle import contents, creating
from scheduler.cli import app
from scheduler.errors import DigestMismatchError, NotFoundError, UnavailableError
from scheduler.images.connection import Connection
from scheduler.images.fake import FakeStore
from scheduler.images.http_store import HttpStore
from scheduler.images.store import Document, Store
from tests.contract import own_registry

REPOSITORY = "modelops/tests"
CONTENT = b"a layer " * 300_000
CONFIG = b'{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}'
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(params=["fake", pytest.param("registry", marks=pytest.mark.registry)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "fake":
        yield FakeStore()
        return
    with own_registry.running(tmp_path) as host:
        connection = Connection(host)
        yield HttpStore(connection)
        connection.close()


def pieces(content: bytes) -> Iterator[bytes]:
    yield from (content[at : at + 100_000] for at in range(0, len(content), 100_000))


def put(store: Store, content: bytes) -> str:
    store.put_blob(REPOSITORY, digests.of(content), size=len(content), content=pieces(content))
    return digests.of(content)


def test_a_blob_comes_back_as_it_was_stored(store: Store) -> None:
    digest = put(store, CONTENT)

    assert store.has_blob(REPOSITORY, digest)
    with store.blob(REPOSITORY, digest) as found:
        assert b"".join(found) == CONTENT


def test_a_blob_with_another_digest_is_refused(store: Store) -> None:
    with pytest.raises((DigestMismatchError, UnavailableError)):
        store.put_blob(REPOSITORY, digests.of(b"other"), size=3, content=[b"abc"])
    assert not store.has_blob(REPOSITORY, digests.of(b"other"))


def test_a_manifest_comes_back_byte_for_byte_by_tag_and_digest(store: Store) -> None:
    parts = [
        {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": put(store, CONFIG), "size": len(CONFIG)}
    ]
    fields = {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": parts[0], "layers": []}
    document = Document(content=json.dumps(fields, indent=3).encode(), media_type=MEDIA_TYPE)

    store.put_manifest(REPOSITORY, "one", document)

    assert store.manifest(REPOSITORY, "one") == document
    assert store.manifest(REPOSITORY, digests.of(document.content)) == document


def test_what_is_not_there_is_not_found(store: Store) -> None:
    digest = digests.of(b"never")
    assert not store.has_blob(REPOSITORY, digest)
    with pytest.raises(NotFoundError):
        store.manifest(REPOSITORY, "never")
    with pytest.raises(NotFoundError), store.blob(REPOSITORY, digest):
        pass


@pytest.mark.registry
def test_a_bundle_goes_into_a_registry_with_a_path_and_comes_back(tmp_path: Path) -> None:
    fields = {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "layers": []}
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digests.of(CONFIG)}
    content = json.dumps({**fields, "config": {**config, "size": len(CONFIG)}}).encode()
    ours = FakeStore()
    images = {}
    for name in ("container-tools", "scheduling-server"):
        ours.put_blob(f"modelops/{name}", digests.of(CONFIG), size=len(CONFIG), content=[CONFIG])
        ours.put_manifest(f"modelops/{name}", "t", Document(content=content, media_type=MEDIA_TYPE))
        images[name] = f"registry.example.com/modelops/{name}@{digests.of(content)}"
    archive, again, values = (tmp_path / name for name in ("bundle.tar", "again.tar", "images.yaml"))
    made = creating.create(archive, images, [], store_of=lambda _: ours, tell=lambda _: None)

    with own_registry.running(tmp_path) as host:
        words = ["load", str(archive), f"{host}/acme/team", "--values", str(values)]
        assert app.main(["bundle", *words]) == 0
        assert app.main(["bundle", "create", str(again), "--values", str(values)]) == 0

    written = yaml.safe_load(values.read_text())["global"]
    assert written["registry"] == {"push": f"{host}/acme/team", "pull": f"{host}/acme/team"}
    assert written["build"]["tools"] == f"{host}/acme/team/modelops/container-tools@{digests.of(content)}"
    with tarfile.open(again) as opened:
        found = contents.parse((opened.extractfile(contents.MANIFEST) or pytest.fail("no manifest")).read().decode())
    assert found.images == made.images
