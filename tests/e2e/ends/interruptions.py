"""Rows: pods and programs that are killed while a job scores."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section

SOME: Final = 30 * 128
"""At 128 records a second."""

SECTION: Final = Section(
    title="Killed while it scores",
    text="An outage is waited for and never becomes a dead letter; an attempt of the flow that was cut short leaves "
    "nothing behind.",
    ends=(
        End(
            id="engine-killed-once",
            title="The stream engine of the flow is killed once",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": SOME, "written": SOME},
            is_published=True,
            seconds=300,
        ),
        End(
            id="flow-crashes-again-and-again",
            title="The stream engine is killed in every attempt of the flow",
            state=JobState.FAILED,
            reason=Reason.FLOW_CRASHED,
            tasks=("wait",),
            words=("the engine ended with code -9", "attempt 3"),
            seconds=300,
        ),
        End(
            id="scoring-pod-killed",
            title="The pod of a scoring service is killed in the middle of the records",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": SOME, "written": SOME},
            is_published=True,
            seconds=300,
        ),
        End(
            id="service-away-for-a-minute",
            title="There is no scoring service for a minute in the middle of the records",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": SOME, "written": SOME},
            is_published=True,
            seconds=300,
        ),
        End(
            id="flow-pod-killed",
            title="The flow's pod is killed in the middle of the records",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": SOME, "written": SOME},
            is_published=True,
            seconds=300,
        ),
    ),
)
