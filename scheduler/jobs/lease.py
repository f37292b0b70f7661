"""Which replica does what only one needs to do: a Lease, as Kubernetes' own components hold them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, NotFoundError
from scheduler.model.types import Manifest
from scheduler.tekton import view

SECONDS: Final = 15
"""Without a renewal for so long, anybody may take it."""


class Lease:
    """One holder's view of a Lease.

    Times in it are never compared with this machine's clock: it is free when it has not changed for `SECONDS` while
    we looked.
    """

    def __init__(
        self, cluster: Cluster, *, name: str, namespace: str, holder: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._name, self._namespace, self._holder = name, namespace, holder
        self._clock = clock
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = clock()

    def hold(self) -> bool:
        """Take it when it is free, renew it when it is ours; whether it is ours now."""
        try:
            found = self._cluster.get("Lease", self._name, self._namespace)
        except NotFoundError:
            return self._made()
        holder = view.text(found, "spec", "holderIdentity")
        if holder != self._holder and not self._is_free(found, holder):
            return False
        return self._taken(found, is_new=holder != self._holder)

    def give_back(self) -> None:
        """Let another one take it at once; nothing when it is not ours."""
        try:
            found = self._cluster.get("Lease", self._name, self._namespace)
        except NotFoundError:
            return
        if view.text(found, "spec", "holderIdentity") == self._holder:
            self._patch(found, {"holderIdentity": ""})

    def _is_free(self, found: Manifest, holder: str) -> bool:
        seen = holder, view.text(found, "spec", "renewTime")
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        return not holder or self._clock() - self._seen_at >= SECONDS

    def _made(self) -> bool:
        now = _now()
        spec = {"holderIdentity": self._holder, "leaseDurationSeconds": SECONDS, "acquireTime": now, "renewTime": now}
        metadata = {"name": self._name, "namespace": self._namespace}
        try:
            self._cluster.create(
                {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            )
        except ConflictError:
            return False
        return True

    def _taken(self, found: Manifest, *, is_new: bool) -> bool:
        now = _now()
        transitions = view.mapping(found, "spec").get("leaseTransitions")
        count = transitions if isinstance(transitions, int) else 0
        more = {"acquireTime": now, "leaseTransitions": count + 1} if is_new else {}
        return self._patch(
            found, {"holderIdentity": self._holder, "leaseDurationSeconds": SECONDS, "renewTime": now, **more}
        )

    def _patch(self, found: Manifest, spec: Mapping[str, object]) -> bool:
        """Whether nobody else changed it since it was read."""
        patch = {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"]}, "spec": dict(spec)}
        try:
            self._cluster.patch("Lease", self._name, self._namespace, patch)
        except (ConflictError, NotFoundError):
            return False
        return True


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
