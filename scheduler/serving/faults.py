"""What goes wrong while serving, by what a client or the operator can do about it.

SchedulerError
├── RequestRefusedError     correct the request; `rows` names the rows at fault when only those are bad
├── ModelNotReadyError      try again when the model is loaded
├── ServerBusyError         try again at once or in a moment
└── ModelRefusedError       the model cannot be served; `reason` is a `model.job.Reason`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.errors import SchedulerError
from scheduler.model.job import Reason

LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RowFault:
    """One row of a batch that cannot be scored."""

    index: int
    """Place in the batch, from 0."""
    message: str


class RequestRefusedError(SchedulerError):
    """The request, or single rows of it, cannot be answered; the other rows are fine when `rows` is not empty."""

    def __init__(self, message: str, *, rows: Sequence[RowFault] = ()) -> None:
        self.rows = tuple(rows)
        super().__init__(message)


class ModelNotReadyError(SchedulerError):
    """The model is known but is not loaded now."""


class ServerBusyError(SchedulerError):
    """As many requests wait as may wait."""


class ModelRefusedError(SchedulerError):
    """The model's file cannot be served."""

    def __init__(self, message: str, *, reason: Reason = Reason.MODEL_CORRUPT) -> None:
        self.reason = reason
        super().__init__(message)


def of_rows(faults: Sequence[RowFault], *, count: int) -> RequestRefusedError:
    """One error for all bad rows of a batch of `count`; a row with several faults is named once, with all of them."""
    by_row: dict[int, list[str]] = {}
    for fault in faults:
        by_row.setdefault(fault.index, []).append(fault.message)
    rows = [RowFault(index=index, message=shortened("; ".join(by_row[index]))) for index in sorted(by_row)]
    first = rows[0]
    return RequestRefusedError(
        f"{len(rows)} of {count} rows cannot be scored; row {first.index}: {first.message}", rows=rows
    )


def shortened(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"
