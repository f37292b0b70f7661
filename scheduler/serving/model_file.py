"""A model's file and its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from scheduler.model.job import Reason
from scheduler.serving.faults import ModelRefusedError

_CHUNK: Final = 1 << 20


def check_digest(path: Path, sha256: str) -> None:
    """ModelRefusedError unless the file is there and has that digest."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise ModelRefusedError(f"the model's file cannot be read: {error}", reason=Reason.MODEL_MISSING) from error
    if digest.hexdigest() != sha256:
        message = f"{path} has sha256 {digest.hexdigest()}, the pipeline says {sha256}"
        raise ModelRefusedError(message, reason=Reason.MODEL_DIGEST_MISMATCH)
