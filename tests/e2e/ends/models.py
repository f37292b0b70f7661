"""Rows: models, scoring services and images that are not as they should be."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section

SECTION: Final = Section(
    title="Models and scoring services",
    text="What cannot become right by waiting ends the job early; what may heal has a grace.",
    ends=(
        End(
            id="model-corrupt",
            title="A scoring server cannot load its model",
            state=JobState.FAILED,
            reason=Reason.MODEL_CORRUPT,
            tasks=("wait",),
            words=("container",),
        ),
        End(
            id="model-digest-mismatch",
            title="A model's bytes have changed in the artifact store",
            state=JobState.FAILED,
            reason=Reason.MODEL_DIGEST_MISMATCH,
            tasks=("wait",),
            words=("{sha256}", "damaged in the store"),
        ),
        End(
            id="image-missing",
            title="The registry does not have the image of a scoring server",
            state=JobState.FAILED,
            reason=Reason.IMAGE_MISSING,
            tasks=("wait",),
            words=("image {image} cannot be pulled", "container"),
        ),
    ),
)
