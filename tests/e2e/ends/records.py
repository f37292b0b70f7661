"""Rows: jobs with records that a step cannot process."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section

ROWS: Final = 1000
MANY: Final = 10_000

SECTION: Final = Section(
    title="Bad records",
    text="One bad record costs one record. What more of them do is for the step's `onError` and for "
    "`deadLetters.maxRatio` to say.",
    ends=(
        End(
            id="record-fails-in-a-map",
            title="A `map` fails for one record in the middle of a batch; two are filtered",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": ROWS + 2, "written": ROWS - 1, "deadLettered": 1, "filtered": 2},
            is_published=True,
        ),
        End(
            id="record-the-model-refuses",
            title="The model refuses a whole batch because of one poisonous record in 10,000",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": MANY, "written": MANY - 1, "deadLettered": 1},
            is_published=True,
        ),
        End(
            id="rows-that-do-not-fit-the-header",
            title="One CSV row has a field too many and one has a field too few; `maxRatio` is 0.01",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": ROWS, "written": ROWS - 2, "deadLettered": 2},
            is_published=True,
        ),
        End(
            id="records-dropped",
            title="A step with `onError: drop` fails for three records",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": ROWS, "written": ROWS - 3, "dropped": 3},
            is_published=True,
        ),
        End(
            id="too-many-dead-letters",
            title="11 of 1,000 records are dead letters and `maxRatio` is 0.01",
            state=JobState.FAILED,
            reason=Reason.TOO_MANY_DEAD_LETTERS,
            tasks=("wait",),
            words=("11 of 1000 records are dead letters", "flow.prepare", "record 300", "no good record"),
        ),
        End(
            id="dead-letter-without-a-channel",
            title="One record is a dead letter and the pipeline names no place for it",
            state=JobState.FAILED,
            reason=Reason.TOO_MANY_DEAD_LETTERS,
            tasks=("wait",),
            words=("flow.prepare", "record {record}", "no good record"),
        ),
        End(
            id="record-that-may-not-fail",
            title="A step with `onError: fail` fails for one record",
            state=JobState.FAILED,
            reason=Reason.RECORD_FAILED,
            tasks=("wait",),
            words=("flow.prepare", "record {record}", "no good record"),
        ),
    ),
)
