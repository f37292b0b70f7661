"""A model's file and its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from scheduler.model.job import Reason
from scheduler.serving.faults import ModelRefusedError


def check_digest(path: Path, sha256: str) -> None:
    """ModelRefusedError unless the file is there and has that digest."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelRefusedError(f"the model's file cannot be read: {error}", reason=Reason.MODEL_MISSING) from error
    if found != sha256:
        message = f"{path} has sha256 {found}, the pipeline says {sha256}"
        raise ModelRefusedError(message, reason=Reason.MODEL_DIGEST_MISMATCH)
