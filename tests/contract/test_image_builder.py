"""What `images.port` promises, kept by the fake and by buildah with the local cluster's registry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.devcluster.addresses import Addresses
from scheduler.errors import ProgramError
from scheduler.images.buildah import Buildah, Storage
from scheduler.images.fake import FakeBuilder, FakeRegistry
from scheduler.images.port import Builder, Registry
from scheduler.images.registry import HttpRegistry

HOST = Addresses.from_environ(os.environ).registry
IMAGE = f"{HOST}/modelops-tests/builder"


@pytest.fixture(params=["fake", pytest.param("buildah", marks=pytest.mark.e2e)])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Builder, Registry]]:
    if request.param == "fake":
        registry = FakeRegistry()
        yield FakeBuilder(registry), registry
        return
    # vfs needs no mount that a killed test would leave
    with Buildah(storage=Storage(folder=tmp_path / "storage", driver="vfs")) as builder:
        yield builder, HttpRegistry(HOST)


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


def test_the_registry_has_what_was_pushed(pair: tuple[Builder, Registry], folder: Path, tmp_path: Path) -> None:
    builder, registry = pair
    reference = f"{IMAGE}:pushed"
    containerfile = _containerfile(tmp_path, "ARG WORD\nFROM scratch\nCOPY file /file\nENV WORD=${WORD}\n")
    builder.build(reference=reference, folder=folder, containerfile=containerfile, args={"WORD": "a"})
    digest = builder.push(reference)
    assert digest.startswith("sha256:")
    assert registry.digest(reference) == digest


def test_the_same_content_has_the_same_digest(pair: tuple[Builder, Registry], folder: Path, tmp_path: Path) -> None:
    builder, _ = pair
    reference = f"{IMAGE}:twice"
    containerfile = _containerfile(tmp_path, "FROM scratch\nCOPY file /file\n")
    digests = set()
    for seconds in (1, 2):
        os.utime(folder / "file", (seconds, seconds))
        builder.build(reference=reference, folder=folder, containerfile=containerfile, args={})
        digests.add(builder.push(reference))
    assert len(digests) == 1


def test_a_build_that_fails_says_why(pair: tuple[Builder, Registry], folder: Path, tmp_path: Path) -> None:
    builder, _ = pair
    containerfile = _containerfile(tmp_path, "FROM scratch\nCOPY FAIL /\n")
    with pytest.raises(ProgramError, match="FAIL"):
        builder.build(reference=f"{IMAGE}:failed", folder=folder, containerfile=containerfile, args={})


def test_what_was_never_pushed_has_no_digest(pair: tuple[Builder, Registry]) -> None:
    assert pair[1].digest(f"{IMAGE}:never") is None
