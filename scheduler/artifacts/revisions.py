"""Numbered, immutable revisions of pipelines in files.

pipelines/<name>/<number>.json      {revision, digest, createdAt, createdBy, documents}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scheduler.artifacts import durable
from scheduler.errors import NotFoundError, UnavailableError
from scheduler.model import canonical
from scheduler.model.types import Document

_ATTEMPTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One deployment of a pipeline."""

    pipeline: str
    revision: int
    digest: str
    """`sha256:…` of the documents (`ir.load`), whatever order they came in."""
    created_at: str
    """RFC 3339."""
    created_by: str
    documents: tuple[Document, ...] = field(default=(), repr=False)


class Revisions:
    """The revisions below one folder. Safe for many threads, and for two programs on one volume."""

    def __init__(self, root: Path) -> None:
        self._root = root / "pipelines"
        self._parts = root / "parts"
        durable.make_folder(self._root)
        durable.make_folder(self._parts)

    def add(
        self, pipeline: str, documents: Sequence[Document], *, digest: str, created_at: str, created_by: str
    ) -> tuple[Revision, bool]:
        """The next revision, and True; or the latest, and False, when that has the same digest.

        Content that equals an older revision but not the latest makes a new one: the latest is what runs by default.
        `pipeline` is a checked name.
        """
        folder = self._root / pipeline
        durable.make_folder(folder)
        for _ in range(_ATTEMPTS):
            number = max(self._numbers(folder), default=0)
            if number:
                latest = self.get(pipeline, number)
                if latest.digest == digest:
                    return latest, False
            made = Revision(
                pipeline=pipeline,
                revision=number + 1,
                digest=digest,
                created_at=created_at,
                created_by=created_by,
                documents=tuple(documents),
            )
            if self._claim(folder / f"{number + 1}.json", made):
                return made, True
        raise UnavailableError(f"others deploy '{pipeline}' all the time; try again")

    def get(self, pipeline: str, revision: int | None = None) -> Revision:
        """The revision, or the latest; NotFoundError tells what there is. `pipeline` is a checked name."""
        numbers = self._numbers(self._root / pipeline)
        if not numbers:
            raise NotFoundError(f"no pipeline is named '{pipeline}'")
        number = max(numbers) if revision is None else revision
        if number not in numbers:
            raise NotFoundError(f"pipeline '{pipeline}' has no revision {number} (there are 1 to {max(numbers)})")
        return _load(pipeline, self._root / pipeline / f"{number}.json")

    def all(self, pipeline: str) -> tuple[Revision, ...]:
        """Every revision of the pipeline, oldest first; NotFoundError when it has none."""
        numbers = sorted(self._numbers(self._root / pipeline))
        if not numbers:
            raise NotFoundError(f"no pipeline is named '{pipeline}'")
        return tuple(self.get(pipeline, number) for number in numbers)

    def latest(self) -> tuple[Revision, ...]:
        """The latest revision of every pipeline, by name."""
        names = sorted(folder.name for folder in self._root.iterdir() if self._numbers(folder))
        return tuple(self.get(name) for name in names)

    def _numbers(self, folder: Path) -> frozenset[int]:
        return frozenset(int(file.stem) for file in folder.glob("*.json") if file.stem.isdigit())

    def _claim(self, target: Path, made: Revision) -> bool:
        value = {
            "revision": made.revision,
            "digest": made.digest,
            "createdAt": made.created_at,
            "createdBy": made.created_by,
            "documents": [dict(document) for document in made.documents],
        }
        with durable.part_file(self._parts) as file:
            file.write(canonical.json_bytes(value))
            return durable.claim(durable.flush(file), target)


def _load(pipeline: str, file: Path) -> Revision:
    value = json.loads(file.read_bytes())
    return Revision(
        pipeline=pipeline,
        revision=value["revision"],
        digest=value["digest"],
        created_at=value["createdAt"],
        created_by=value["createdBy"],
        documents=tuple(value["documents"]),
    )
