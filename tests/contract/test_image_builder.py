"""What `images.port` promises, kept by the fake and by buildah with a real registry."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scheduler import command
from scheduler.errors import ProgramError
from scheduler.images import logins, program_image
from scheduler.images.buildah import Buildah, Storage
from scheduler.images.connection import Connection
from scheduler.images.fake import FakeBuilder, FakeRegistry
from scheduler.images.http_store import HttpStore
from scheduler.images.port import Builder, Registry
from scheduler.images.registry import HttpRegistry
from tests.contract import own_registry

Pair = tuple[Builder, Registry, str]
"""The last is the repository."""


@pytest.fixture(params=["fake", *(pytest.param(name, marks=pytest.mark.registry) for name in ("open", "with login"))])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    if request.param == "fake":
        registry = FakeRegistry()
        yield FakeBuilder(registry), registry, "registry/modelops-tests/builder"
        return
    htpasswd = own_registry.HTPASSWD if request.param == "with login" else ""
    with own_registry.running(tmp_path, htpasswd=htpasswd) as host:
        docker = own_registry.docker_configuration(tmp_path, host) if htpasswd else None
        # vfs needs no mount that a killed test would leave
        storage = Storage(folder=tmp_path / "storage", driver="vfs")
        with Buildah(storage=storage, settings=tmp_path, authentication=docker, has_layers=False) as builder:
            yield builder, HttpRegistry(host, logins=logins.load(docker)), f"{host}/modelops-tests/builder"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build context with one file."""
    made = tmp_path / "context"
    made.mkdir()
    (made / "file").write_text(str(tmp_path))
    return made


def _containerfile(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "Containerfile"
    file.write_text(text)
    return file


def test_the_registry_has_what_was_pushed(pair: Pair, folder: Path, tmp_path: Path) -> None:
    builder, registry, image = pair
    reference = f"{image}:pushed"
    containerfile = _containerfile(tmp_path, "ARG WORD\nFROM scratch\nCOPY file /file\nENV WORD=${WORD}\n")
    builder.build(reference=reference, folder=folder, containerfile=containerfile, args={"WORD": "a"})
    digest = builder.push(reference)
    assert digest.startswith("sha256:")
    assert registry.digest(reference) == registry.digest(f"{image}@{digest}") == digest


def test_the_same_content_has_the_same_digest(pair: Pair, folder: Path, tmp_path: Path) -> None:
    builder, _, image = pair
    reference = f"{image}:twice"
    containerfile = _containerfile(tmp_path, "FROM scratch\nCOPY file /file\n")
    digests = set()
    for seconds in (1, 2):
        os.utime(folder / "file", (seconds, seconds))
        builder.build(reference=reference, folder=folder, containerfile=containerfile, args={})
        digests.add(builder.push(reference))
    assert len(digests) == 1


def test_a_build_that_fails_says_why(pair: Pair, folder: Path, tmp_path: Path) -> None:
    builder, _, image = pair
    containerfile = _containerfile(tmp_path, "FROM scratch\nCOPY FAIL /\n")
    with pytest.raises(ProgramError, match="FAIL"):
        builder.build(reference=f"{image}:failed", folder=folder, containerfile=containerfile, args={})


def test_what_was_never_pushed_has_no_digest(pair: Pair) -> None:
    _, registry, image = pair
    assert registry.digest(f"{image}:never") is None


@pytest.mark.registry
def test_of_an_images_builds_the_last_stays_with_its_layers(tmp_path: Path, folder: Path) -> None:
    """Of which the first is the one that an earlier build made."""
    options = Storage(folder=tmp_path / "storage", driver="vfs").options()
    containerfile = _containerfile(tmp_path, "FROM scratch\nLABEL step=first\nCOPY file /file\n")

    def kept() -> dict[str, str]:
        listed = json.loads(command.run(["buildah", *options, "images", "--all", "--json"], limit_seconds=60))
        return {name: image["id"] for image in listed for name in image.get("names") or [image["id"]]}

    with own_registry.running(tmp_path) as host:
        for content in ("a", "b"):
            (folder / "file").write_text(content)
            with Buildah(storage=Storage(folder=tmp_path / "storage", driver="vfs"), settings=tmp_path) as builder:
                for name in ("one", "other"):
                    reference = f"{host}/tests/{name}:{content}"
                    builder.build(reference=reference, folder=folder, containerfile=containerfile, args={})
                    builder.push(reference)
            if content == "a":
                before = kept()
        after = kept()

        assert {name for name in after if "/" in name} == {f"{host}/tests/one:b", f"{host}/tests/other:b"}
        assert {name for name in after if "/" not in name} == {name for name in before if "/" not in name}
        assert all(HttpRegistry(host).digest(f"{host}/tests/one:{content}") for content in "ab")


@pytest.mark.registry
def test_a_registry_takes_the_image_of_a_program_that_no_builder_made(tmp_path: Path) -> None:
    program = tmp_path / "engine"
    program.write_text("content")
    with own_registry.running(tmp_path) as host, closing(Connection(host)) as connection:
        digest = program_image.push(program, repository="tests/engine", tag="t", store=HttpStore(connection))

        assert HttpRegistry(host).digest(f"{host}/tests/engine:t") == digest
        storage = Storage(folder=tmp_path / "storage", driver="vfs")
        with Buildah(storage=storage, settings=tmp_path, has_layers=False) as builder:
            text = f"FROM {host}/tests/engine@{digest}\nLABEL made=again\n"
            context = tmp_path / "context"
            context.mkdir()
            containerfile = _containerfile(tmp_path, text)
            builder.build(reference=f"{host}/tests/again:t", folder=context, containerfile=containerfile, args={})
