"""SHA-256 digests as OCI registries write them: `sha256:` and 64 hexadecimal digits."""

from __future__ import annotations

import hashlib
from pathlib import Path


def of(content: bytes) -> str:
    """The digest of bytes.

    >>> of(b"{}")
    'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def of_file(path: Path) -> str:
    """The digest of a file, read in parts: it may be larger than memory."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
