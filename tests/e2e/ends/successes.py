"""Rows: jobs whose records all come through."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section

ROWS: Final = 1000

SECTION: Final = Section(
    title="Success",
    text="Every record of the source is in the sink, in its order; the manifest beside the sink tells the same.",
    ends=(
        End(
            id="python-binary-json-lines-gzip",
            title="A scikit-learn model scores gzipped JSON lines into gzipped JSON lines",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": ROWS, "written": ROWS},
            is_published=True,
        ),
        End(
            id="pmml-csv-gzip",
            title="A PMML model scores gzipped CSV into CSV",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": ROWS, "written": ROWS},
            is_published=True,
        ),
        End(
            id="service-with-more-memory",
            title="A model that needs more memory than a scoring service usually has asks for `memory: 4Gi`",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": ROWS, "written": ROWS},
            is_published=True,
        ),
    ),
)
