"""What the tests of a site without network share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is there after a bundle was loaded."""

    registry: str
    values: Path
    chart: Path
    digests: Mapping[str, str]


def digest_of(reference: str) -> str:
    return reference.partition("@")[2]
