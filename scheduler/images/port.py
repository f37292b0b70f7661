"""What building images needs of the world: something that builds and pushes, and a registry that can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Builder(Protocol):
    """Builds one image and pushes it."""

    def build(self, *, reference: str, folder: Path, containerfile: Path, args: Mapping[str, str]) -> None:
        """Build `reference` from the context in `folder`. ProgramError with the builder's words when it fails."""
        ...

    def push(self, reference: str) -> str:
        """Push what was built; the digest under which the registry has it now."""
        ...


class Registry(Protocol):
    """A container registry, asked for digests only."""

    def digest(self, reference: str) -> str | None:
        """`sha256:…` of the manifest that `registry/repository:tag` names; None when there is none."""
        ...
