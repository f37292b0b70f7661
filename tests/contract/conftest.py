"""The three places where artifacts and revisions may be kept; every test of them runs on each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scheduler.artifacts import storage
from scheduler.artifacts.filesystem import MARK
from scheduler.artifacts.memory import Memory
from scheduler.artifacts.objects import Objects
from scheduler.artifacts.storage import Storage
from tests.s3 import gateway
from tests.s3.gateway import Gateway


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A real S3 server."""
    with gateway.running(tmp_path_factory.mktemp("s3") / "buckets") as running:
        yield running


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of them, as a program opens it and as somebody sees it who goes behind its back."""

    storage: Storage
    folder: Path
    """Where its objects are files; `Memory` has none."""
    memory: Memory | None = None

    def opened(self) -> Objects:
        """As by one more program."""
        return self.memory or storage.open_(self.storage, folder=self.folder)

    def content(self, name: str) -> bytes:
        return self.memory.contents[name] if self.memory else (self.folder / name).read_bytes()

    def damage(self, name: str, content: bytes) -> None:
        """Put other content there."""
        if self.memory:
            self.memory.contents[name] = content
            return
        (self.folder / name).chmod(0o600)
        (self.folder / name).write_bytes(content)

    def everything(self) -> list[str]:
        """Every name, sorted, of objects and of whatever else is kept; but for the mark of a store."""
        if self.memory:
            return sorted(self.memory.contents)
        files = (path for path in self.folder.rglob("*") if path.is_file() and path != self.folder / MARK)
        return sorted(str(path.relative_to(self.folder)) for path in files)


LASTING = ["volume", pytest.param("s3", marks=[pytest.mark.s3, pytest.mark.timeout(900)])]
"""Those that outlive the program."""


@pytest.fixture(params=["memory", *LASTING])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "memory":
        return Place(storage=Storage(url="memory://"), folder=tmp_path, memory=Memory())
    if request.param == "volume":
        return Place(storage=Storage(), folder=tmp_path)
    server: Gateway = request.getfixturevalue("s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    prefix = uuid.uuid4().hex
    return Place(
        storage=Storage(url=f"s3://{gateway.BUCKET}/{prefix}", endpoint=server.endpoint, region=gateway.REGION),
        folder=server.folder / gateway.BUCKET / prefix,
    )


@pytest.fixture
def objects(place: Place) -> Objects:
    return place.opened()
