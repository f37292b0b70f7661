"""Rows: jobs that somebody ends before their time, or says are complete."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import Cleanup, JobState, Reason
from tests.e2e.ends.end import End, Section

BY: Final = "cancelled by {by}"


def _cancelled(id_: str, title: str, *tasks: str) -> End:
    return End(id=id_, title=title, state=JobState.CANCELLED, reason=Reason.CANCELLED, tasks=tasks, words=(BY,))


def _too_late(id_: str, title: str, *words: str) -> End:
    return End(id=id_, title=title, status=409, refusal_exit_code=5, words=words)


CANCELLED: Final = Section(
    title="Cancelled",
    text="Cancelling a job that is cancelled already answers 200 and changes nothing. Nothing is published, and "
    "nothing is left within a minute.",
    ends=(
        End(
            id="cancelled-while-pending",
            title="A job is cancelled before Tekton has begun with it",
            state=JobState.CANCELLED,
            reason=Reason.CANCELLED,
            words=(BY,),
            cleanups=(Cleanup.NOT_NEEDED,),
            seconds=60,
        ),
        _cancelled("cancelled-while-installing", "A job is cancelled while helm installs it", "install"),
        _cancelled("cancelled-while-loading", "A job is cancelled while its model loads", "wait"),
        _cancelled("cancelled-while-running", "A job is cancelled while it scores", "wait"),
        _cancelled("cancelled-by-many", "A job is cancelled by 20 requests at once", "wait"),
        End(
            id="cancelled-by-force",
            title="A job is cancelled by force while a pod of its run does not end",
            state=JobState.CANCELLED,
            reason=Reason.CANCELLED,
            tasks=("wait",),
            words=("by force", "the janitor removed", "of its release"),
        ),
        _too_late(
            "cancelled-while-finishing",
            "A job is to be cancelled while its release is removed",
            "is FINISHING: its scoring is over, there is nothing to cancel",
        ),
        _too_late(
            "cancelled-when-done",
            "A job is to be cancelled that has ended",
            "is SUCCEEDED: its scoring is over, there is nothing to cancel",
        ),
    ),
)
COMPLETED: Final = Section(
    title="Completed from outside",
    text="By an operator, or by the pod of the job's own flow. The same outcome again answers 200 and changes nothing. "
    "A job that is completed before its source was read to its end publishes nothing.",
    ends=(
        End(
            id="completed-as-succeeded",
            title="An operator says that the scoring is complete",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED_BY_REQUEST,
            words=("completed by {by}", "enough for today"),
        ),
        End(
            id="completed-as-failed",
            title="The job's own flow says that the scoring has failed",
            state=JobState.FAILED,
            reason=Reason.COMPLETED_BY_REQUEST,
            tasks=("wait",),
            words=("declared failed by {by}", "so I say"),
        ),
        _too_late(
            "completed-before-it-scores",
            "A job is to be completed that does not score yet",
            "only a job that scores can be completed",
        ),
        _too_late(
            "completed-while-finishing",
            "A job is to be completed while its release is removed",
            "is FINISHING; only a job that scores can be completed",
        ),
        _too_late(
            "completed-when-done",
            "A job is to be completed that has ended",
            "is SUCCEEDED; only a job that scores can be completed",
        ),
        _too_late(
            "completed-as-something-else",
            "A job is to be completed as failed that was completed as succeeded",
            "was completed as Succeeded before",
        ),
        End(
            id="completed-by-a-viewer",
            title="Somebody completes a job who may only see it",
            status=403,
            refusal_exit_code=7,
            words=("may not update jobs.modelops.dev",),
        ),
        End(
            id="completed-by-a-stranger",
            title="Somebody completes a job who may not even see it",
            status=404,
            refusal_exit_code=4,
            words=("there is no job",),
        ),
    ),
)
