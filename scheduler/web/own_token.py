"""How a server of the platform shows itself to another one: its ServiceAccount's token of audience `modelops`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from scheduler.errors import UnavailableError

VARIABLE: Final = "MODELOPS_TOKEN_FILE"
_FILE: Final = "/var/run/secrets/modelops/token"


def read() -> str:
    """The token as it is now. The kubelet writes a new one long before the old one ends, so ask before each request."""
    path = Path(os.environ.get(VARIABLE, _FILE))
    try:
        return path.read_text().strip()
    except OSError as error:
        raise UnavailableError(f"this server's own token cannot be read from {path}: {error.strerror}") from error
