"""Numbered, immutable revisions of pipelines.

pipelines/<name>/<number>.json      {revision, digest, createdAt, createdBy, documents}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from scheduler.artifacts.objects import Objects
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
    """The revisions on a volume or in an object store. Safe for many threads, and for several programs at once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def add(
        self, pipeline: str, documents: Sequence[Document], *, digest: str, created_at: str, created_by: str
    ) -> tuple[Revision, bool]:
        """The next revision, and True; or the latest, and False, when that has the same digest.

        Content that equals an older revision but not the latest makes a new one: the latest is what runs by default.
        `pipeline` is a checked name.
        """
        for _ in range(_ATTEMPTS):
            number = max(self._numbers(pipeline), default=0)
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
            if self._objects.create(_name(pipeline, number + 1), _content(made)):
                return made, True
        raise UnavailableError(f"others deploy '{pipeline}' all the time; try again")

    def get(self, pipeline: str, revision: int | None = None) -> Revision:
        """The revision, or the latest; NotFoundError tells what there is. `pipeline` is a checked name."""
        numbers = self._numbers(pipeline)
        if not numbers:
            raise NotFoundError(f"no pipeline is named '{pipeline}'")
        number = max(numbers) if revision is None else revision
        if number not in numbers:
            raise NotFoundError(f"pipeline '{pipeline}' has no revision {number} (there are 1 to {max(numbers)})")
        return self._load(pipeline, number)

    def all(self, pipeline: str) -> tuple[Revision, ...]:
        """Every revision of the pipeline, oldest first; NotFoundError when it has none."""
        numbers = sorted(self._numbers(pipeline))
        if not numbers:
            raise NotFoundError(f"no pipeline is named '{pipeline}'")
        return tuple(self._load(pipeline, number) for number in numbers)

    def latest(self) -> tuple[Revision, ...]:
        """The latest revision of every pipeline, by name."""
        latest = {name: max(self._numbers(name), default=0) for name in sorted(self._objects.names("pipelines"))}
        return tuple(self._load(name, number) for name, number in latest.items() if number)

    def _numbers(self, pipeline: str) -> frozenset[int]:
        names = self._objects.names(f"pipelines/{pipeline}")
        return frozenset(int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit())

    def _load(self, pipeline: str, number: int) -> Revision:
        reader = self._objects.open(_name(pipeline, number))
        if reader is None:
            raise UnavailableError(f"revision {number} of '{pipeline}' is listed and not there")
        with closing(reader):
            value = json.loads(reader.read(reader.size))
        return Revision(
            pipeline=pipeline,
            revision=value["revision"],
            digest=value["digest"],
            created_at=value["createdAt"],
            created_by=value["createdBy"],
            documents=tuple(value["documents"]),
        )


def _name(pipeline: str, number: int) -> str:
    return f"pipelines/{pipeline}/{number}.json"


def _content(made: Revision) -> bytes:
    value = {
        "revision": made.revision,
        "digest": made.digest,
        "createdAt": made.created_at,
        "createdBy": made.created_by,
        "documents": [dict(document) for document in made.documents],
    }
    return canonical.json_bytes(value)
