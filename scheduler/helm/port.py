"""What this project needs of Helm. One release per job, one revision per release, never an upgrade.

release not found                                 NotFoundError
name taken, or another operation under way        ConflictError
the API server does not answer                    UnavailableError
roles do not let this account do it               ForbiddenError
anything else                                     ProgramError, `output` holding helm's own words
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from scheduler.model.types import Manifest, Values


class ReleaseState(StrEnum):
    """What helm's record says of a release."""

    DEPLOYED = "deployed"
    FAILED = "failed"
    PENDING = "pending-install"
    """An install is under way, or died before it could record its end."""
    UNINSTALLING = "uninstalling"
    OTHER = "other"
    """States that only an upgrade, a rollback or `--keep-history` bring about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStatus:
    name: str
    namespace: str
    state: ReleaseState
    revision: int
    chart: str
    """Name and version of the chart, as `scoring-pipeline-0.1.0`."""


class Helm(Protocol):
    """The helm program with one identity. Every call ends within its own time limit."""

    def install(
        self, release: str, *, chart: Path, values: Values, namespace: str, labels: Mapping[str, str]
    ) -> ReleaseStatus:
        """Create all objects of `chart` as revision 1 and return at once: readiness is not waited for.

        `labels` go onto helm's own record. The namespace must exist. What a failed install has created stays.
        """
        ...

    def uninstall(self, release: str, *, namespace: str) -> None:
        """Ask for the deletion of the release's objects and drop its record. That nothing is left is not proven."""
        ...

    def status(self, release: str, *, namespace: str) -> ReleaseStatus | None:
        """What the record says; None when there is none."""
        ...

    def template(self, release: str, *, chart: Path, values: Values, namespace: str) -> list[Manifest]:
        """The objects that `install` would create; no cluster is asked."""
        ...

    def version(self) -> str:
        """As `v3.22.0`; ProgramError when there is no helm."""
        ...

    def terminate(self) -> None:
        """Ask the call under way, if any, to end; it returns when helm has recorded how far it came.

        May be called from a signal handler. Further calls begin nothing and raise ProgramError.
        """
        ...
