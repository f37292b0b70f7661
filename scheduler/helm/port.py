"""What this project needs of Helm. A job is one release of one revision; the platform's own release is upgraded.

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
    PENDING_UPGRADE = "pending-upgrade"
    PENDING_ROLLBACK = "pending-rollback"
    UNINSTALLING = "uninstalling"
    OTHER = "other"
    """States that only `--keep-history` brings about, or that a later helm has."""

    @property
    def is_pending(self) -> bool:
        """An operation is under way, or died before it could record its end; helm refuses another."""
        return self in {ReleaseState.PENDING, ReleaseState.PENDING_UPGRADE, ReleaseState.PENDING_ROLLBACK}


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

    def upgrade(
        self,
        release: str,
        *,
        chart: Path,
        values: Values,
        namespace: str,
        labels: Mapping[str, str],
        ready_seconds: float,
        may_take_over: bool = True,
    ) -> ReleaseStatus:
        """Install the release or make its next revision, and wait until all of it is ready.

        What is not ready within `ready_seconds` is undone: the revision before is brought back, and ready again; a
        release that was new is removed. That it was so is a ProgramError. Objects that are there already and are not
        this release's are taken over; where they may not be, nothing is changed and a ProgramError names one of them.
        """
        ...

    def rollback(self, release: str, *, namespace: str) -> ReleaseStatus:
        """Bring back the newest revision before the present one that was ever deployed, as a new revision.

        NotFoundError when there is none.
        """
        ...

    def values(self, release: str, *, namespace: str) -> Values:
        """The values that the present revision was given, without the chart's own; NotFoundError without release."""
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
