"""Rows: jobs that have used up one of their deadlines."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import Cleanup, JobState, Reason
from tests.e2e.ends.end import End, Section
from tests.e2e.ends.running import ROWS

SECTION: Final = Section(
    title="Deadlines",
    text="Each phase has its own: `queue`, `install`, `ready`, `run` and `finish`. A deadline that a known fault has "
    "used up is told as that fault.",
    ends=(
        End(
            id="queue-deadline",
            title="No node takes the first task before the queue deadline of 5 s",
            state=JobState.TIMED_OUT,
            reason=Reason.QUEUE_DEADLINE,
            tasks=("install",),
            words=("queue deadline of 5 s", "task install waits for a node", "Insufficient cpu"),
        ),
        End(
            id="install-deadline",
            title="A release of that name cannot be replaced before the install deadline of 5 s",
            state=JobState.TIMED_OUT,
            reason=Reason.INSTALL_DEADLINE,
            tasks=("install",),
            words=("not installed within 5 s", "could not be removed", "ConfigMap/{held}"),
        ),
        End(
            id="ready-deadline",
            title="A model takes longer to load than the ready deadline of 15 s",
            state=JobState.TIMED_OUT,
            reason=Reason.READY_DEADLINE,
            tasks=("wait",),
            words=("not ready within 15 s", "the scoring service of model 'twice' is not ready", "pod"),
        ),
        End(
            id="run-deadline",
            title="Scoring takes longer than the run deadline of 5 s",
            state=JobState.TIMED_OUT,
            reason=Reason.RUN_DEADLINE,
            tasks=("wait",),
            words=("scoring was not over after 5 s", "of {records} records were read"),
        ),
        End(
            id="finish-deadline",
            title="An object of the release does not go before the finish deadline of 8 s",
            state=JobState.SUCCEEDED,
            reason=Reason.FINISH_DEADLINE,
            tasks=("uninstall",),
            words=("its release is not proven gone", "1 object of the release left when the finish deadline came"),
            ledger={"read": ROWS, "written": ROWS},
            is_published=True,
            cleanups=(Cleanup.LEAKED,),
        ),
    ),
)
