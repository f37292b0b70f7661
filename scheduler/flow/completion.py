"""How a flow ended: the termination message that `wait` reads, and the exit code that the Job's policy reads."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from scheduler.model import job_json
from scheduler.model.job import Ledger, Reason

MAX_BYTES: Final = 1024
"""Of the termination message; Kubernetes keeps 4 KiB of a container's and 12 KiB of a pod's."""

COMPLETE: Final = 0
BAD_INPUT: Final = 10
"""Trying again would end the same way."""
INFRASTRUCTURE: Final = 11
CRASH: Final = 1

_RETRIED: Final = frozenset(
    {Reason.DISK_FULL, Reason.DRAINED, Reason.READY_DEADLINE, Reason.SERVICE_CRASHED, Reason.OUT_OF_MEMORY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    reason: Reason
    message: str = ""
    ledger: Ledger = field(default_factory=Ledger)
    total: int | None = None
    """Records in the source, once they have been counted."""
    seconds: float = 0.0
    is_asked: bool = False
    """Ended by somebody's wish: it is not tried again."""
    is_published: bool = False
    """Whether there is a result: a stream has one when it was drained, a batch only when it came to its end."""

    @property
    def is_success(self) -> bool:
        return self.is_published or self.reason is Reason.COMPLETED


def exit_code(end: Completion) -> int:
    if end.is_success:
        return COMPLETE
    if end.is_asked:
        return BAD_INPUT
    if end.reason is Reason.FLOW_CRASHED:
        return CRASH
    return INFRASTRUCTURE if end.reason in _RETRIED else BAD_INPUT


def to_json(end: Completion) -> bytes:
    """At most MAX_BYTES: a longer message is cut."""
    text = _dump(end)
    message = end.message
    while len(text) > MAX_BYTES and message:
        message = message[: max(0, len(message) - max(1, (len(text) - MAX_BYTES + 3) // 4))]
        text = _dump(replace(end, message=message + "…"))
    return text


def write(end: Completion, path: Path) -> None:
    """The message is a report, not the result: that it cannot be written does not change how the flow ended."""
    text = to_json(end)
    logging.getLogger(__name__).info("%s", text.decode().replace('"', "'"))
    try:
        path.write_bytes(text)
    except OSError as error:
        logging.getLogger(__name__).warning("no termination message at %s: %s", path, error)


def _dump(end: Completion) -> bytes:
    document = {
        "outcome": "Succeeded" if end.is_success else "Failed",
        "reason": end.reason.value,
        "message": end.message,
        "ledger": job_json.ledger_to_json(end.ledger),
        "total": end.total,
        "seconds": round(end.seconds, 3),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
