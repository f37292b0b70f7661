"""What an image is made from, and the tag that follows from it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scheduler.model import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFile:
    """One file of a build context."""

    path: str
    """In the context, with `/`."""
    sha256: str
    is_executable: bool = False


def tag(
    *,
    containerfile: str,
    files: Iterable[ContextFile],
    args: Mapping[str, str],
    base_digest: str,
    earlier_digests: Mapping[str, str],
) -> str:
    """64 hexadecimal digits that change when anything does that the image is made from, and with nothing else."""
    recipe = {
        "containerfile": hashlib.sha256(containerfile.encode()).hexdigest(),
        "files": [[file.path, file.sha256, file.is_executable] for file in sorted(files, key=lambda file: file.path)],
        "args": dict(args),
        "base": base_digest,
        "earlier": dict(earlier_digests),
    }
    return hashlib.sha256(canonical.json_bytes(recipe)).hexdigest()
