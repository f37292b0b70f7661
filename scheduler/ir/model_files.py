"""The files that Model documents of an IR folder name: there, inside the folder, and what their digests say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scheduler.ir import words
from scheduler.ir.source import Sourced
from scheduler.model import alike
from scheduler.model.problem import Problem

_AT = "/spec/artifact"


class File(NamedTuple):
    path: Path
    sha256: str


class Found(NamedTuple):
    """A model's file, None when a Problem tells why; no problem and no file when its digest is enough."""

    file: File | None
    problem: Problem | None


def find(sourced: Sourced, folder: Path) -> Found:
    """The file of a Model document, its digest checked when the document gives one.

    A model with a digest may be in the artifact store already: its file may be missing here.
    """
    spec: dict[str, Any] = sourced.document["spec"]
    path = folder / spec["artifact"]
    if not _is_inside(path, folder):
        return Found(None, sourced.problem("the file is a link that leads out of the IR folder", pointer=_AT))
    if not path.is_file():
        if "sha256" in spec:
            return Found(None, None)
        candidates = tuple(alike.nearest_first(spec["artifact"], _files(folder)))[:20]
        message = f"there is no file {words.shown(spec['artifact'])} in the IR folder"
        return Found(None, sourced.problem(message, pointer=_AT, candidates=candidates))
    try:
        digest = sha256(path)
    except OSError as error:
        message = f"{words.shown(spec['artifact'])} cannot be read: {error.strerror}"
        return Found(None, sourced.problem(message, pointer=_AT))
    if spec.get("sha256", digest) != digest:
        message = f"{words.shown(spec['artifact'])} has the digest {digest}, another file than this document means"
        return Found(None, sourced.problem(message, pointer="/spec/sha256"))
    return Found(File(path, digest), None)


def sha256(path: Path) -> str:
    """64 hexadecimal digits, read in parts: models may be larger than memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _files(folder: Path) -> Iterator[str]:
    """Files that may be models, for the hint; not more than a person would read."""
    suffixes = {".yaml", ".yml", ".json", ".md", ".txt"}
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in suffixes)
    yield from (str(path.relative_to(folder)) for path, _ in zip(found, range(100), strict=False))
