import threading
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from scheduler.artifacts import storage
from scheduler.artifacts.memory import Memory
from scheduler.artifacts.storage import Storage
from scheduler.artifacts.volume import Volume
from scheduler.errors import InvalidInputError


def test_without_a_url_a_volume_is_used(tmp_path: Path) -> None:
    assert isinstance(storage.open_(Storage(), folder=tmp_path / "data"), Volume)
    assert (tmp_path / "data" / "parts").is_dir()


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_a_file_url_is_a_volume_elsewhere(tmp_path: Path, scheme: str) -> None:
    made = storage.open_(Storage(url=f"{scheme}://{tmp_path}/with%20space"), folder=tmp_path / "unused")
    made.create("a", b"x")
    assert (tmp_path / "with space" / "a").read_bytes() == b"x"
    assert not (tmp_path / "unused").exists()


def test_memory_is_for_tests(tmp_path: Path) -> None:
    assert isinstance(storage.open_(Storage(url="memory://"), folder=tmp_path), Memory)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Storage(url="bucket/prefix"), ["'bucket/prefix' is no URL"]),
        (Storage(url="s3:///prefix"), ["no bucket is named"]),
        (Storage(url="file://host/folder"), ["three slashes"]),
        (Storage(url="s3://bucket?key=x#y"), ["with ? or # is refused"]),
        (Storage(url="memory://", endpoint="http://x", region="y"), ["endpoint belongs to s3://", "region belongs to"]),
        (Storage(endpoint="http://x"), ["endpoint belongs to s3:// alone"]),
        (Storage(url="local://host/folder"), ["three slashes: local:///"]),
        (Storage(url="simplecache::s3://bucket/prefix"), ["a chain of URLs"]),
        (Storage(url="filecache::memory://"), ["a chain of URLs"]),
        (Storage(url="file:///proc/nowhere"), ["the folder /proc/nowhere cannot be used"]),
        (Storage(url="ftp://127.0.0.1:1/"), ["ftp://127.0.0.1:1/ cannot be opened: [Errno"]),
        (Storage(url="zip:///"), ["zip:/// cannot be opened"]),
        (Storage(url="tar:///"), ["tar:/// cannot be opened"]),
        (Storage(url="github://place"), ["github://place cannot be opened"]),
        (Storage(url="dbfs://place"), ["dbfs://place cannot be opened"]),
        (
            Storage(url="gs://bucket"),
            ["which speaks s3:// as it is shipped; name its package in the build/requirements.in"],
        ),
        (
            Storage(url="nothing-knows-this://place"),
            ["nothing-knows-this://place cannot be opened: Protocol not known"],
        ),
    ],
)
def test_what_is_no_place_is_refused_with_all_that_is_wrong(tmp_path: Path, wrong: Storage, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        storage.open_(wrong, folder=tmp_path)
    assert len(caught.value.problems) == len(words)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIAEXAMPLE:hunter2@bucket/prefix",
        "simplecache::s3://AKIAEXAMPLE:hunter2@bucket",
        "AKIAEXAMPLE:hunter2@bucket",
        "//AKIAEXAMPLE:hunter2@bucket",
        "ftp://ada:hunter2@127.0.0.1:1/",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInputError, match="come by a Secret") as caught:
        storage.open_(Storage(url=url), folder=tmp_path)
    assert "hunter2" not in str(caught.value)
    assert len(caught.value.problems) == 1


class _Late(MemoryFile):  # type: ignore[misc]
    """Is seen when it is closed."""

    closed = False

    def close(self) -> None:
        self.commit()


class _Other(MemoryFileSystem):  # type: ignore[misc]
    """A filesystem that keeps to what is required of a store, of a scheme that this project has never heard of."""

    protocol = "other"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    _one: ClassVar = threading.Lock()

    def _open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        return _Late(self, self._strip_protocol(path)) if mode == "wb" else super()._open(path, mode, **more)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        with self._one:
            if mode == "create" and self.exists(path):
                raise FileExistsError(path)
            with self.open(path, "wb") as file:
                file.write(value)
                file.close()


def test_a_store_of_another_scheme_is_opened_and_tried(tmp_path: Path) -> None:
    fsspec.register_implementation("other", _Other, clobber=True)
    made = storage.open_(Storage(url="other://place"), folder=tmp_path)
    assert made.create("revisions/1", b"x")
    assert not made.create("revisions/1", b"y")
    assert made.names("revisions") == {"1"}
    # what it would be without the two changes above
    fsspec.register_implementation("other", MemoryFileSystem, clobber=True)
    with pytest.raises(InvalidInputError, match="shows an upload that is not finished"):
        storage.open_(Storage(url="other://place"), folder=tmp_path)
