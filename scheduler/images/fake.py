"""A builder and registry in memory, for tests: remembers what was built, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from scheduler.errors import ProgramError


class FakeRegistry:
    """Holds digests by reference."""

    def __init__(self, digests: Mapping[str, str] | None = None) -> None:
        self.digests = dict(digests or {})

    def digest(self, reference: str) -> str | None:
        return self.digests.get(reference)


class FakeBuilder:
    """'Builds' by remembering; pushes into a FakeRegistry."""

    def __init__(self, registry: FakeRegistry) -> None:
        self.registry = registry
        self.built: list[tuple[str, Mapping[str, str], tuple[str, ...]]] = []
        """(reference, arguments, paths in the context)"""

    def build(self, *, reference: str, folder: Path, containerfile: Path, args: Mapping[str, str]) -> None:
        if "FAIL" in containerfile.read_text():
            raise ProgramError("buildah ended with 1: FAIL", output="FAIL")
        paths = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
        self.built.append((reference, dict(args), tuple(paths)))

    def push(self, reference: str) -> str:
        digest = "sha256:" + hashlib.sha256(reference.encode()).hexdigest()
        self.registry.digests[reference] = digest
        return digest
