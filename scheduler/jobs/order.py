"""What somebody asks for: one job, described in one request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from scheduler.errors import InvalidInputError
from scheduler.model import canonical
from scheduler.model.pipeline import Scalar
from scheduler.model.problem import Problem
from scheduler.model.types import Document

_LABEL_KEY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_MAX_LABELS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPlace:
    """Where an IR lies on the git server."""

    path: str
    """Of the repository, below the server's base URL."""
    ref: str
    """Branch, tag or commit."""
    folder: str = ""
    """Of the IR inside the repository; empty: all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Exactly one of `pipeline`, `ir` and `git` says what to run."""

    environment: str
    pipeline: str = ""
    revision: int | None = None
    """Of `pipeline`; None: the newest."""
    ir: tuple[Document, ...] = ()
    git: GitPlace | None = None
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    deadlines: Mapping[str, int] = field(default_factory=dict)
    """Phase -> seconds."""
    trigger: Mapping[str, object] | None = None
    data_versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Equal for orders that ask for the same, however their JSON was written."""
        git = self.git
        return canonical.digest(
            {
                "environment": self.environment,
                "pipeline": self.pipeline,
                "revision": self.revision,
                "ir": list(self.ir),
                "git": None if git is None else {"path": git.path, "ref": git.ref, "folder": git.folder},
                "parameters": self.parameters,
                "labels": self.labels,
                "deadlines": self.deadlines,
                "trigger": self.trigger,
                "dataVersions": self.data_versions,
            }
        )


def validate(order: Order) -> tuple[Problem, ...]:
    """What is wrong with an order by itself; names, types and texts of the IR are looked at later."""
    return tuple(_problems(order))


def check(order: Order) -> None:
    """Raise InvalidInputError with every problem of `validate`."""
    problems = validate(order)
    if problems:
        raise InvalidInputError(problems)


def _problems(order: Order) -> Iterable[Problem]:
    given = [name for name, value in (("pipeline", order.pipeline), ("ir", order.ir), ("git", order.git)) if value]
    if len(given) != 1:
        found = f"there are {' and '.join(given)}" if given else "there is none"
        yield Problem(message=f"a job needs exactly one of pipeline, ir and git; {found}")
    if order.revision is not None and not order.pipeline:
        yield Problem(pointer="/revision", message="only a pipeline has revisions")
    if len(order.labels) > _MAX_LABELS:
        yield Problem(pointer="/labels", message=f"a job may have {_MAX_LABELS} labels, not {len(order.labels)}")
    rule = "at most 63 letters, digits, '-', '_' and '.', first and last a letter or digit"
    for key, value in order.labels.items():
        if not _LABEL_KEY.fullmatch(key):
            yield Problem(pointer="/labels", message=f"'{key}' is no label: {rule}")
        if not _LABEL_VALUE.fullmatch(value):
            yield Problem(pointer=f"/labels/{key}", message=f"'{value}' is no label's value: {rule}")
