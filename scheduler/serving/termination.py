"""The pod's last words: why it ended, as JSON where the kubelet picks it up."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # who opens the port first imports this before anything else
    from scheduler.model.job import Reason

FILE: Final = Path("/dev/termination-log")
LONGEST: Final = 1024
"""Bytes; with more, Kubernetes' bound for all containers of a pod (12 KiB) could cut somebody's message."""


def text(*, reason: Reason, message: str) -> str:
    """`{"reason", "message"}` in at most `LONGEST` bytes of ASCII; a longer message ends with `...`."""
    whole = json.dumps({"reason": reason.value, "message": message})
    if len(whole) <= LONGEST:
        return whole
    kept = message
    while len(whole) > LONGEST:
        kept = kept[: len(kept) - max(1, (len(whole) - LONGEST) // 6)]
        whole = json.dumps({"reason": reason.value, "message": kept.rstrip() + "..."})
    return whole


def write(*, reason: Reason, message: str, file: Path) -> None:
    """Leave the words in `file`; outside a container there is none, and then nothing is written."""
    with suppress(OSError):
        if file.exists():
            file.write_text(text(reason=reason, message=message))
