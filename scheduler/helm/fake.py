"""A `Helm` in memory: the same contract as the program. It renders no templates; a test says what a chart makes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from scheduler.errors import ConflictError, NotFoundError, ProgramError, SchedulerError
from scheduler.helm.port import ReleaseState, ReleaseStatus
from scheduler.model.types import Manifest, Values

Render: TypeAlias = Callable[[str, Values, str], list[Manifest]]
"""(release, values, namespace) -> objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    status: ReleaseStatus
    values: Values
    labels: Mapping[str, str]
    manifests: tuple[Manifest, ...]


def _nothing(_release: str, _values: Values, _namespace: str) -> list[Manifest]:
    return []


@dataclass
class FakeHelm:
    """Releases of one imaginary cluster."""

    render: Render = _nothing
    releases: dict[tuple[str, str], Release] = field(default_factory=dict)
    """(namespace, release) -> what is recorded."""
    on_install: Callable[[Release], None] | None = None
    """Told of every release after it was recorded as pending; what it raises makes the release failed."""
    on_uninstall: Callable[[Release], None] | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)
    """(verb, release) of every call, in order."""
    terminated: bool = False

    def install(
        self, release: str, *, chart: Path, values: Values, namespace: str, labels: Mapping[str, str]
    ) -> ReleaseStatus:
        self._begin("install", release)
        if (namespace, release) in self.releases:
            raise ConflictError(f"helm install failed: cannot re-use a name that is still in use ({release})")
        manifests = self._rendered(release, chart=chart, values=values, namespace=namespace)
        made = Release(
            status=_status(release, namespace, chart, ReleaseState.PENDING),
            values=copy.deepcopy(dict(values)),
            labels=dict(labels),
            manifests=tuple(manifests),
        )
        self.put(made)
        try:
            if self.on_install is not None:
                self.on_install(made)
        except SchedulerError:
            self.put(made, state=ReleaseState.FAILED)
            raise
        return self.put(made, state=ReleaseState.DEPLOYED).status

    def uninstall(self, release: str, *, namespace: str) -> None:
        self._begin("uninstall", release)
        found = self.releases.get((namespace, release))
        if found is None:
            raise NotFoundError(f"helm uninstall failed: {release}: release: not found")
        if self.on_uninstall is not None:
            self.on_uninstall(found)
        del self.releases[namespace, release]

    def status(self, release: str, *, namespace: str) -> ReleaseStatus | None:
        self._begin("status", release)
        found = self.releases.get((namespace, release))
        return None if found is None else found.status

    def template(self, release: str, *, chart: Path, values: Values, namespace: str) -> list[Manifest]:
        self._begin("template", release)
        return self._rendered(release, chart=chart, values=values, namespace=namespace)

    def version(self) -> str:
        self._begin("version", "")
        return "v3.22.0"

    def terminate(self) -> None:
        self.terminated = True

    # What only a test does -------------------------------------------------------------------------------------------

    def put(self, release: Release, *, state: ReleaseState | None = None) -> Release:
        """Record a release as it is, or with another state."""
        status = release.status
        if state is not None:
            status = _status(status.name, status.namespace, Path(status.chart), state)
        changed = Release(status=status, values=release.values, labels=release.labels, manifests=release.manifests)
        self.releases[status.namespace, status.name] = changed
        return changed

    def _begin(self, verb: str, release: str) -> None:
        self.calls.append((verb, release))
        if self.terminated:
            raise ProgramError("helm is not started: this program has been asked to end")

    def _rendered(self, release: str, *, chart: Path, values: Values, namespace: str) -> list[Manifest]:
        if not (chart / "Chart.yaml").is_file():
            raise ProgramError(f"helm failed: path {chart} not found", output=f"path {chart} not found")
        return self.render(release, values, namespace)


def _status(release: str, namespace: str, chart: Path, state: ReleaseState) -> ReleaseStatus:
    return ReleaseStatus(name=release, namespace=namespace, state=state, revision=1, chart=chart.name)
