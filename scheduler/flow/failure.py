"""The one way in which a flow ends without a result."""

from __future__ import annotations

import errno
from pathlib import Path

from scheduler.errors import SchedulerError
from scheduler.model.job import Reason


class FlowFailedError(SchedulerError):
    """The flow has no result, for a reason that a job can report."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def of_sink(error: OSError, path: Path) -> FlowFailedError:
    """What an error while making, writing or committing `path` means."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    why = error.strerror or str(error)
    return FlowFailedError(Reason.DISK_FULL if full else Reason.SINK_NOT_WRITABLE, f"{path}: {why}")
