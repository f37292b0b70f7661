"""Documents together with where each of their parts was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from scheduler.ir import pointer as pointers
from scheduler.model.problem import Problem
from scheduler.model.types import Document


class Branch(NamedTuple):
    """Line of a mapping or list, and the places of what is in it."""

    line: int
    children: Mapping[str, Places] | Sequence[Places]


Places: TypeAlias = "int | Branch"
"""Lines of a value and all below it; a scalar's is its line alone. A mapping's entry has the line of its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a document came from. Without file and places (a document that came over HTTP) only pointers are known."""

    file: str = ""
    places: Places = 0
    moved: Mapping[str, str] = field(default_factory=dict)
    """For front ends: pointer in the document -> pointer in what its author wrote; parts below move along."""

    def locate(self, pointer: str) -> tuple[str, int]:
        """The author's pointer and line for a pointer into the document; of the nearest parent that was written."""
        written = self._written(pointer)
        place = self.places
        for part in pointers.split(written):
            below = _child(place, part)
            if below is None:
                break
            place = below
        return written, place if isinstance(place, int) else place.line

    def _written(self, pointer: str) -> str:
        if not self.moved:
            return pointer
        parts = pointers.split(pointer)
        for length in range(len(parts), -1, -1):
            origin = self.moved.get(pointers.join(parts[:length]))
            if origin is not None:
                return origin + pointers.join(parts[length:])
        return ""


def _child(place: Places, part: str) -> Places | None:
    if isinstance(place, int):
        return None
    children = place.children
    if isinstance(children, Mapping):
        return children.get(part)
    return children[int(part)] if part.isdecimal() and int(part) < len(children) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """One document and its source."""

    document: Document
    source: Source = field(default_factory=Source)
    position: int = 0
    """Its place in its file, or in the list that came over HTTP, counted from 0: tells a document without a name."""

    @property
    def kind(self) -> str:
        """Empty when the document has none."""
        kind = self.document.get("kind")
        return kind if isinstance(kind, str) else ""

    @property
    def name(self) -> str:
        """Empty when the document has none."""
        metadata = self.document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        return name if isinstance(name, str) else ""

    def problem(self, message: str, *, pointer: str = "", candidates: Sequence[str] = ()) -> Problem:
        """A fault of this document, placed where its author wrote it."""
        written, line = self.source.locate(pointer)
        return Problem(
            message=message,
            pointer=written,
            file=self.source.file,
            line=line,
            document=self._label(),
            candidates=tuple(candidates),
        )

    def _label(self) -> str:
        if self.kind and self.name:
            return f"{self.kind[:40]}/{self.name[:60]}"
        return f"document {self.position + 1}"
