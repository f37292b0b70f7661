"""SHA-256 digests as artifacts are named by them: 64 hexadecimal digits, lower case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem

BLOCK: Final = 1 << 20
_PATTERN: Final = re.compile(r"[0-9a-f]{64}")


def checked(text: str) -> str:
    """`text`, when it is a digest; it may then be used as a file's name."""
    if not _PATTERN.fullmatch(text):
        message = f"'{text[:80]}' is not a SHA-256 digest: 64 of 0-9 and a-f are needed"
        raise InvalidInputError([Problem(message=message)])
    return text


def blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
