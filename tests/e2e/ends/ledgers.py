"""Rows: a flow runner whose engine loses, doubles or miscounts records."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section
from tests.e2e.recipes import BATCH

ALL: Final = 4 * BATCH


def _mismatch(fault: str, title: str, words: str) -> End:
    return End(
        id=fault,
        title=title,
        state=JobState.FAILED,
        reason=Reason.ACCOUNTING_MISMATCH,
        tasks=("wait",),
        words=(words,),
        seconds=240,
    )


SECTION: Final = Section(
    title="Broken engine",
    text="Each record comes to one end, and the ledger and the bytes of the files are compared before anything "
    "is published. The tests bring an engine that is broken on purpose.",
    ends=(
        _mismatch(
            "batch-lost",
            "A batch of records is lost on its way",
            f"{ALL} read, {ALL - BATCH} written, 0 dead letters, 0 dropped, 0 filtered",
        ),
        _mismatch(
            "batch-doubled",
            "A batch of records reaches the sink twice",
            f"record {BATCH + 1} (line {BATCH + 2}) came to an end twice",
        ),
        _mismatch(
            "counter-wrong",
            "One counter of the ledger is wrong",
            f"{ALL} records in the sink of {ALL + 1} written",
        ),
    ),
)
