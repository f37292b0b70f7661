"""What looking at a cluster needs of its API server: single calls, in plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from scheduler.model.types import Manifest


class Api(Protocol):
    """One identity at one API server. Raises the errors of `scheduler.cluster.port`; every call has a limit."""

    @property
    def url(self) -> str: ...

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Manifest | None = None
    ) -> Manifest:
        """The object in the answer."""
        ...
