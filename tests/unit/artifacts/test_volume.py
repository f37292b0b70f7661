import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.artifacts.store import ArtifactStore
from scheduler.artifacts.volume import Volume
from scheduler.errors import UnavailableError


def test_a_full_volume_is_said_so(tmp_path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"content"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UnavailableError, match="volume is full"):
        ArtifactStore(Volume(tmp_path), most_bytes=100).put(hashlib.sha256().hexdigest(), blocks())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_parts_of_a_killed_program_are_swept_and_young_ones_are_not(tmp_path: Path) -> None:
    Volume(tmp_path)
    old, young = tmp_path / "parts" / "old.part", tmp_path / "parts" / "young.part"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    Volume(tmp_path)
    assert list((tmp_path / "parts").iterdir()) == [young]


def test_artifacts_are_files_that_nobody_may_write_to(tmp_path: Path) -> None:
    with Volume(tmp_path).writing("artifacts/ab/abc") as writer:
        writer.write(b"content")
        writer.finish()
    assert stat.S_IMODE((tmp_path / "artifacts" / "ab" / "abc").stat().st_mode) == 0o440


def test_a_volume_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.check()
    (tmp_path / "parts").rmdir()
    with pytest.raises(UnavailableError, match="cannot be written to"):
        volume.check()
