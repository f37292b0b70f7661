"""Rows: environments and nodes without room."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section
from tests.e2e.ends.running import ROWS

SECTION: Final = Section(
    title="No room",
    text="A job waits for room as long as its ready deadline allows, and says what it waits for. Task pods have a "
    "quota of their own, by their PriorityClass: a full environment is cleaned up like any other.",
    ends=(
        End(
            id="quota-full-for-a-while",
            title="The environment's quota is full, until another job ends",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": ROWS, "written": ROWS},
            is_published=True,
        ),
        End(
            id="quota-full",
            title="The environment's quota is full for as long as the ready deadline of 15 s",
            state=JobState.FAILED,
            reason=Reason.QUOTA_EXCEEDED,
            tasks=("wait",),
            words=(
                "may not have its pod",
                "exceeded quota: modelops-jobs",
                "requested: pods=1, used: pods={pods}, limited: pods={pods}",
                "the ready deadline of 15 s came",
            ),
        ),
        End(
            id="node-too-small",
            title="No node is as large as the job's flow wants it, for as long as the ready deadline of 15 s",
            state=JobState.FAILED,
            reason=Reason.UNSCHEDULABLE,
            tasks=("wait",),
            words=(
                "no node has room for pod {id}-flow",
                "it asks for 921600Mi of memory, the node of task wait has {memory}Mi in all",
                "Insufficient memory",
                "the ready deadline of 15 s came",
            ),
        ),
    ),
)
