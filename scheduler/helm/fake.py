"""A `Helm` in memory: the same contract as the program. It renders no templates; a test says what a chart makes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from scheduler.errors import ConflictError, NotFoundError, ProgramError, SchedulerError
from scheduler.helm import chart as charts
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
    on_upgrade: Callable[[Release], None] | None = None
    """Told of every release that is installed or changed by `upgrade`; what it raises is undone, and raised."""
    on_uninstall: Callable[[Release], None] | None = None
    earlier: dict[tuple[str, str], list[Release]] = field(default_factory=dict)
    """The revisions before the present one, oldest first."""
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
        del ready_seconds  # objects in memory are ready at once
        self._begin("upgrade", release)
        before = self.releases.get((namespace, release))
        if before is not None and before.status.state.is_pending:
            raise ConflictError("helm upgrade failed: another operation (install/upgrade/rollback) is in progress")
        manifests = self._rendered(release, chart=chart, values=values, namespace=namespace)
        if not may_take_over:
            self._leave_alone(release, manifests)
        made = Release(
            status=_status(release, namespace, chart, ReleaseState.PENDING),
            values=copy.deepcopy(dict(values)),
            labels=dict(labels),
            manifests=tuple(manifests),
        )
        self._next(made, ReleaseState.PENDING_UPGRADE if before else ReleaseState.PENDING)
        try:
            if self.on_upgrade is not None:
                self.on_upgrade(made)
        except SchedulerError:
            if before is None:
                self._forget(namespace, release)
            else:
                self.put(self.releases[namespace, release], state=ReleaseState.FAILED)
                self._next(before, ReleaseState.DEPLOYED)
            raise
        return self.put(self.releases[namespace, release], state=ReleaseState.DEPLOYED).status

    def rollback(self, release: str, *, namespace: str) -> ReleaseStatus:
        self._begin("rollback", release)
        if (namespace, release) not in self.releases:
            raise NotFoundError(f"helm history failed: {release}: release: not found")
        good = [one for one in self.earlier.get((namespace, release), []) if one.status.state is ReleaseState.DEPLOYED]
        if not good:
            raise NotFoundError(f"release '{release}' in namespace '{namespace}' has no revision to go back to")
        return self._next(good[-1], ReleaseState.DEPLOYED).status

    def values(self, release: str, *, namespace: str) -> Values:
        self._begin("values", release)
        found = self.releases.get((namespace, release))
        if found is None:
            raise NotFoundError(f"helm get values failed: {release}: release: not found")
        return copy.deepcopy(dict(found.values))

    def uninstall(self, release: str, *, namespace: str) -> None:
        self._begin("uninstall", release)
        found = self.releases.get((namespace, release))
        if found is None:
            raise NotFoundError(f"helm uninstall failed: {release}: release: not found")
        if self.on_uninstall is not None:
            self.on_uninstall(found)
        self._forget(namespace, release)

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
            status = replace(status, state=state)
        changed = Release(status=status, values=release.values, labels=release.labels, manifests=release.manifests)
        self.releases[status.namespace, status.name] = changed
        return changed

    def _next(self, release: Release, state: ReleaseState) -> Release:
        """Record a release's content as the next revision."""
        key = (release.status.namespace, release.status.name)
        revision = 1
        if (present := self.releases.get(key)) is not None:
            self.earlier.setdefault(key, []).append(present)
            revision = present.status.revision + 1
        return self.put(replace(release, status=replace(release.status, revision=revision, state=state)))

    def _forget(self, namespace: str, release: str) -> None:
        del self.releases[namespace, release]
        self.earlier.pop((namespace, release), None)

    def _leave_alone(self, release: str, manifests: Iterable[Manifest]) -> None:
        """ProgramError when one of the objects is another release's."""
        wanted = {_place(manifest) for manifest in manifests}
        for (_, other), found in self.releases.items():
            taken = wanted & {_place(manifest) for manifest in found.manifests}
            if other != release and taken:
                kind, _, name = min(taken)
                raise ProgramError(f"helm upgrade failed: {kind} {name} exists: invalid ownership metadata ({other})")

    def _begin(self, verb: str, release: str) -> None:
        self.calls.append((verb, release))
        if self.terminated:
            raise ProgramError("helm is not started: this program has been asked to end")

    def _rendered(self, release: str, *, chart: Path, values: Values, namespace: str) -> list[Manifest]:
        if not (chart / "Chart.yaml").is_file():
            raise ProgramError(f"helm failed: path {chart} not found", output=f"path {chart} not found")
        return self.render(release, values, namespace)


def _status(release: str, namespace: str, chart: Path, state: ReleaseState) -> ReleaseStatus:
    return ReleaseStatus(name=release, namespace=namespace, state=state, revision=1, chart=charts.named(chart))


def _place(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]
