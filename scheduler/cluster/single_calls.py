"""Calls of the API that no method of the port is for: what is asked of a cluster but once."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.model.types import Manifest


class SingleCalls(KubernetesCluster):
    """The API server by paths; the errors are those of the port."""

    @property
    def url(self) -> str:
        """Where the API server is."""
        return self._access.host

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Manifest | None = None
    ) -> Manifest:
        """The object in the answer."""
        return self._json(method, path, query=query, body=body, what=f"{method.lower()} {path}")
