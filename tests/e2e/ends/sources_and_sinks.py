"""Rows: sources that cannot be read and sinks that cannot be written."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section

SECTION: Final = Section(
    title="Sources and sinks",
    text="A source that cannot be read to its end publishes nothing, and neither does a sink that cannot be written.",
    ends=(
        End(
            id="source-missing",
            title="The source file is not there",
            state=JobState.FAILED,
            reason=Reason.SOURCE_MISSING,
            tasks=("wait",),
            words=("{source}", "No such file"),
        ),
        End(
            id="gzip-truncated",
            title="A gzipped source ends too soon",
            state=JobState.FAILED,
            reason=Reason.SOURCE_DAMAGED,
            tasks=("wait",),
            words=("{source}", "ended before the end"),
        ),
        End(
            id="volume-missing",
            title="A channel names a volume that the environment does not have",
            state=JobState.FAILED,
            reason=Reason.VOLUME_MISSING,
            tasks=("wait",),
            words=("PersistentVolumeClaim '{volume}'", "does not exist"),
        ),
        End(
            id="sink-not-writable",
            title="The sink's folder may not be written by the user that flows run as",
            state=JobState.FAILED,
            reason=Reason.SINK_NOT_WRITABLE,
            tasks=("wait",),
            words=("{sink}", "Permission denied"),
        ),
        End(
            id="disk-full",
            title="The sink's volume is full before the last record is written",
            state=JobState.FAILED,
            reason=Reason.DISK_FULL,
            tasks=("wait",),
            words=("{sink}", "no space left on device"),
            seconds=300,
        ),
    ),
)
