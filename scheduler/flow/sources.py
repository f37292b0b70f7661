"""What the runner knows of a source apart from the engine: whether it is there, and how many records it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scheduler.flow import source_count
from scheduler.flow.config import File, Generated, RunnerConfig
from scheduler.flow.failure import FlowFailedError
from scheduler.flow.source_count import Grown
from scheduler.model.job import Reason


class Source(Protocol):
    """A source with an end of its own, or one that is drained: `size` and `grown` are for the latter.

    Each raises FlowFailedError(SourceMissing) or (SourceDamaged).
    """

    def __str__(self) -> str: ...

    def open(self) -> None:
        """See that it is there."""

    def count(self) -> int:
        """Its records."""

    def size(self) -> int:
        """Where it ends now, in a unit of its own."""

    def grown(self, end: int) -> Grown:
        """What there is of it up to where the engine says that it was drained."""


def of(config: RunnerConfig) -> Source:
    source = config.source
    return _Generator(source) if isinstance(source, Generated) else _FileSource(source, config.required)


@dataclass(frozen=True, slots=True)
class _FileSource:
    file: File
    required: Sequence[str]

    def __str__(self) -> str:
        return str(self.file.path)

    def open(self) -> None:
        try:
            self.file.path.open("rb").close()
        except OSError as error:
            message = f"{self.file.path}: {error.strerror or error}"
            raise FlowFailedError(Reason.SOURCE_MISSING, message) from error

    def count(self) -> int:
        return source_count.count(self.file, required=self.required)

    def size(self) -> int:
        try:
            return self.file.path.stat().st_size
        except OSError as error:
            message = f"{self.file.path}: {error.strerror or error}"
            raise FlowFailedError(Reason.SOURCE_DAMAGED, message) from error

    def grown(self, end: int) -> Grown:
        return source_count.count_grown(self.file, size=end, required=self.required)


@dataclass(frozen=True, slots=True)
class _Generator:
    """What is made up is there always; how much of it, the order says, or the generator when it is drained."""

    generated: Generated

    def __str__(self) -> str:
        return "the generator"

    def open(self) -> None:
        """There is nothing that could be missing."""

    def count(self) -> int:
        return self.generated.count

    def size(self) -> int:
        return 0

    def grown(self, end: int) -> Grown:
        return Grown(records=end, size=end)
