"""A complete result or none."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from scheduler.flow import parts
from scheduler.flow.failure import FlowFailedError
from scheduler.flow.parts import Parts
from scheduler.model.job import Reason


def prepare(folder: Path, attempt: str = "uid-1", release: str = "j1") -> Parts:
    return parts.prepare(
        sink=folder / "a" / "out", dead_letters=folder / "b" / "dead", release=release, attempt=attempt
    )


def sink(made: Parts) -> Path:
    assert made.sink
    return made.sink.path


def publish(made: Parts, manifest: dict[str, object] | None = None) -> None:
    """Commit what is in the files, as if the engine had written it."""
    files = {"sink": made.sink, "deadLetters": made.dead_letters}
    digests = {
        name: "sha256:" + hashlib.sha256(part.path.read_bytes() if part.path.exists() else b"").hexdigest()
        for name, part in files.items()
        if part is not None
    }
    parts.commit(made, manifest or {}, digests=digests)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_published_before_the_commit(tmp_path: Path) -> None:
    made = prepare(tmp_path)
    assert all(name.startswith(".") for name in names(tmp_path))
    parts.discard(made)
    assert names(tmp_path) == set()


def test_the_sink_is_renamed_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed: list[str] = []
    real = Path.replace

    def replace(path: Path, to: Path) -> Path:
        renamed.append(to.name)
        return real(path, to)

    monkeypatch.setattr(Path, "replace", replace)
    made = prepare(tmp_path)
    sink(made).write_text("x\n")
    publish(made, {"job": "j1"})
    assert renamed == ["dead", "out.manifest.json", "out"]
    assert names(tmp_path) == {"out", "out.manifest.json", "dead"}
    digest = "sha256:73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"
    assert json.loads((tmp_path / "a" / "out.manifest.json").read_text()) == {"job": "j1", "digest": digest}


def test_leftovers_of_the_same_job_only(tmp_path: Path) -> None:
    first = prepare(tmp_path, "uid-1")
    other = prepare(tmp_path, "uid-1", release="j2")
    second = prepare(tmp_path, "uid-2")
    assert not sink(first).exists()
    assert sink(other).exists()
    with pytest.raises(FlowFailedError, match="another attempt of this job has taken over"):
        parts.check(first)
    with pytest.raises(FlowFailedError, match="another attempt of this job has taken over"):
        publish(first)
    parts.check(second)
    publish(second)
    assert (tmp_path / "a" / "out").exists()


def test_the_same_attempt_begins_anew(tmp_path: Path) -> None:
    made = prepare(tmp_path)
    sink(made).write_text("half\n")
    assert sink(prepare(tmp_path)).read_text() == ""


def test_an_old_result_is_replaced(tmp_path: Path) -> None:
    for text in ("old\n", "new\n"):
        made = prepare(tmp_path)
        sink(made).write_text(text)
        publish(made)
    assert (tmp_path / "a" / "out").read_text() == "new\n"


def test_a_sink_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "out").mkdir(parents=True)
    with pytest.raises(FlowFailedError, match="is a folder") as caught:
        prepare(tmp_path)
    assert caught.value.reason is Reason.SINK_NOT_WRITABLE
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, Reason.DISK_FULL), (errno.EDQUOT, Reason.DISK_FULL), (errno.EACCES, Reason.SINK_NOT_WRITABLE)],
)
def test_errors_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: Reason) -> None:
    made = prepare(tmp_path)

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FlowFailedError, match=os.strerror(number)) as caught:
        publish(made)
    assert caught.value.reason is reason
    assert not (tmp_path / "a" / "out").exists()


def test_what_is_written_nowhere_has_no_part(tmp_path: Path) -> None:
    made = parts.prepare(sink=None, dead_letters=tmp_path / "dead", release="j1", attempt="uid-1")
    publish(made)
    assert (made.sink, made.manifest) == (None, None)
    assert names(tmp_path) == {"dead"}
    nothing = parts.prepare(sink=None, dead_letters=None, release="j1", attempt="uid-1")
    publish(nothing)
    assert list(nothing.all()) == []


def test_names_with_wildcards(tmp_path: Path) -> None:
    made = parts.prepare(sink=tmp_path / "o[1]*", dead_letters=None, release="j1", attempt="u")
    parts.prepare(sink=tmp_path / "o[1]*", dead_letters=None, release="j1", attempt="v")
    assert not sink(made).exists()
