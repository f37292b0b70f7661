from pathlib import Path

import pytest

from scheduler.artifacts import storage
from scheduler.artifacts.memory import Memory
from scheduler.artifacts.storage import Storage
from scheduler.artifacts.volume import Volume
from scheduler.errors import InvalidInputError


def test_without_a_url_a_volume_is_used(tmp_path: Path) -> None:
    assert isinstance(storage.open_(Storage(), folder=tmp_path / "data"), Volume)
    assert (tmp_path / "data" / "parts").is_dir()


def test_a_file_url_is_a_volume_elsewhere(tmp_path: Path) -> None:
    made = storage.open_(Storage(url=f"file://{tmp_path}/with%20space"), folder=tmp_path / "unused")
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


def test_credentials_in_a_url_are_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="come by a Secret") as caught:
        storage.open_(Storage(url="s3://AKIAEXAMPLE:hunter2@bucket/prefix"), folder=tmp_path)
    assert "hunter2" not in str(caught.value)
