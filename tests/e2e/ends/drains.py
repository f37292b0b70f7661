"""Rows: streams, and jobs that are drained at every moment of their life."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import Cleanup, JobState, Reason
from tests.e2e.ends.end import End, Section
from tests.e2e.ends.streams import LIVE_RECORDS

SECTION: Final = Section(
    title="Streams and drains",
    text="A drained stream publishes every record that its source had at that moment, once. Half a result of a batch "
    "is never published as a whole one, and before a job scores there is nothing to drain.",
    ends=(
        End(
            id="stream-killed-and-drained",
            title="The flow's pod of a stream is deleted while its source grows; later the job is drained",
            state=JobState.SUCCEEDED,
            reason=Reason.DRAINED,
            words=(
                f"drained: all {LIVE_RECORDS} records that the source had are in the result",
                "5 bytes behind them are no record yet",
            ),
            ledger={"read": LIVE_RECORDS, "written": LIVE_RECORDS},
            is_published=True,
            seconds=240,
        ),
        End(
            id="drained-then-cancelled",
            title="A stream that takes long to drain is cancelled",
            state=JobState.CANCELLED,
            reason=Reason.CANCELLED,
            tasks=("wait",),
            words=("cancelled by {by}",),
            seconds=180,
        ),
        End(
            id="stream-source-rotated",
            title="The source of a stream is renamed while it is followed",
            state=JobState.FAILED,
            reason=Reason.SOURCE_DAMAGED,
            tasks=("wait",),
            words=("/{source}: it was removed or renamed while it was followed; a followed file only grows",),
            seconds=180,
        ),
        End(
            id="batch-drained",
            title="A batch is drained while it scores, twice",
            state=JobState.CANCELLED,
            reason=Reason.DRAINED,
            tasks=("wait",),
            words=("drained by {by}: ", "before the source was read to its end; nothing is published"),
            seconds=180,
        ),
        End(
            id="drained-while-queued",
            title="A job is drained as soon as it is asked for",
            state=JobState.CANCELLED,
            reason=Reason.DRAINED,
            tasks=("", "install"),
            words=("drained by {by} before it scored",),
            cleanups=(Cleanup.CLEAN, Cleanup.NOT_NEEDED),
        ),
        End(
            id="drained-while-installing",
            title="A job is drained while its services and its flow are installed",
            state=JobState.CANCELLED,
            reason=Reason.DRAINED,
            tasks=("install", "wait"),
            words=("drained by {by} before it scored",),
            seconds=180,
        ),
        End(
            id="drain-of-a-finished-job",
            title="A job is drained when it is over",
            words=("its scoring is over, there is nothing to drain",),
            status=409,
            refusal_exit_code=5,
        ),
    ),
)
