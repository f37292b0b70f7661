"""Result files: made under names of their own, committed by renaming, so that a complete result is there or none.

The order of a commit: files on disk and read back, dead letters renamed, manifest renamed, the sink last: its name is
the mark of completeness. An attempt that starts removes the files of the job's earlier attempts; one that is still
alive elsewhere then fails at its commit, instead of publishing a second result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scheduler import digests
from scheduler.flow import failure
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of the result: where it is written, and where it is published."""

    path: Path
    target: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """None of what has no file."""

    sink: Part | None
    manifest: Part | None
    """Stands beside the sink."""
    dead_letters: Part | None = None

    def all(self) -> Iterator[Part]:
        """In the order of their commit: the sink last."""
        yield from (part for part in (self.dead_letters, self.manifest, self.sink) if part is not None)


def prepare(*, sink: Path | None, dead_letters: Path | None, release: str, attempt: str) -> Parts:
    """Empty files of this attempt in the folders of their targets, made exclusively; those of others are removed.

    Raises FlowFailedError(SinkNotWritable) or (DiskFull) when a folder does not take them.
    """

    def part(target: Path | None) -> Part | None:
        if target is None:
            return None
        return Part(path=target.with_name(f".{target.name}.{release}.{attempt}.part"), target=target)

    parts = Parts(
        sink=part(sink),
        manifest=part(None if sink is None else sink.with_name(sink.name + ".manifest.json")),
        dead_letters=part(dead_letters),
    )
    for one in parts.all():
        try:
            one.target.parent.mkdir(parents=True, exist_ok=True)
            for leftover in one.target.parent.glob(f".{_escaped(one.target.name)}.{release}.*.part"):
                leftover.unlink(missing_ok=True)
            if one.target.is_dir():
                raise IsADirectoryError(None, "is a folder", str(one.target))
            os.close(os.open(one.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except OSError as error:
            discard(parts)
            raise failure.of_sink(error, one.target) from error
    return parts


def check(parts: Parts) -> None:
    """Raise FlowFailedError when another attempt of the job has removed this one's files: it has taken over."""
    for one in parts.all():
        if not one.path.exists():
            raise _taken_over(one.path)


def commit(parts: Parts, manifest: Mapping[str, object], *, digests: Mapping[str, str]) -> None:
    """Publish, with the sink's digest in the manifest.

    `digests` are those of the bytes that the engine wrote, by file (`sink`, `deadLetters`). Raises FlowFailedError when
    a file on disk is not what was written, the disk is full, or another attempt of the job has taken over.
    """
    try:
        digest = "" if parts.sink is None else _synced(parts.sink, digests.get("sink", ""))
        if parts.dead_letters is not None:
            _synced(parts.dead_letters, digests.get("deadLetters", ""))
        if parts.manifest is not None:
            parts.manifest.path.write_text(json.dumps({**manifest, "digest": digest}, indent=2) + "\n")
            _sync(parts.manifest.path)
        for one in parts.all():
            one.path.replace(one.target)
        for folder in {one.target.parent for one in parts.all()}:
            _sync(folder)
    except FileNotFoundError as error:
        raise _taken_over(Path(str(error.filename))) from error
    except OSError as error:
        raise failure.of_sink(error, [part.target for part in parts.all()][-1]) from error


def discard(parts: Parts) -> None:
    """Remove what this attempt made and did not publish."""
    for one in parts.all():
        with suppress(OSError):
            one.path.unlink(missing_ok=True)


def _taken_over(path: Path) -> FlowFailedError:
    return FlowFailedError(Reason.FLOW_CRASHED, f"{path} is gone: another attempt of this job has taken over")


def _synced(part: Part, written: str) -> str:
    """The digest of a file that is on disk and is exactly what was written to it."""
    _sync(part.path)
    found = digests.of_file(part.path)
    if found != written:
        message = f"{part.target}: the file on disk ({found}) is not what was written ({written or 'nothing is known'})"
        raise FlowFailedError(Reason.ACCOUNTING_MISMATCH, message)
    return found


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
