"""Rows: a flow runner whose engine loses, doubles or miscounts records."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section
from tests.e2e.recipes import BATCH

ALL: Final = 4 * BATCH


def _found(fault: str, title: str, words: str, *, reason: Reason = Reason.ACCOUNTING_MISMATCH) -> End:
    return End(
        id=fault,
        title=title,
        state=JobState.FAILED,
        reason=reason,
        tasks=("wait",),
        words=(words,),
        seconds=240,
    )


SECTION: Final = Section(
    title="Broken engine",
    text="Each record comes to one end, and the ledger and the bytes of the files are compared before anything "
    "is published. The tests bring an engine that is broken on purpose.",
    ends=(
        _found(
            "batch-lost",
            "A batch of records is lost on its way",
            f"{ALL} read, {ALL - BATCH} written, 0 dead letters, 0 dropped, 0 filtered",
        ),
        _found(
            "batch-doubled",
            "A batch of records reaches the sink twice",
            f"record {BATCH + 1} (line {BATCH + 2}) came to an end twice",
        ),
        _found(
            "counter-wrong",
            "One counter of the ledger is wrong",
            f"{ALL} records in the sink of {ALL + 1} written",
        ),
        _found(
            "batch-lost-before-a-test-sink",
            "A batch of records is lost on its way to a test sink",
            f"gap: {BATCH} of the first {3 * BATCH} records did not come, and no step has ended them: "
            f"{BATCH + 1} to {2 * BATCH}",
            reason=Reason.SINK_CHECK_FAILED,
        ),
        _found(
            "batch-doubled-before-a-test-sink",
            "A batch of records reaches a test sink twice",
            f"duplicate: record {BATCH + 1} came again, behind record {2 * BATCH}",
            reason=Reason.SINK_CHECK_FAILED,
        ),
        _found(
            "records-out-of-order",
            "Two records come to a test sink in each other's place",
            f"order: record {BATCH + 11} came behind record {BATCH + 12}",
            reason=Reason.SINK_CHECK_FAILED,
        ),
    ),
)
