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
            words=("container server of pod", "the model does not load", "it is no joblib file"),
        ),
        End(
            id="model-of-another-kind",
            title="The model's file holds something else than its type says",
            state=JobState.FAILED,
            reason=Reason.MODEL_CORRUPT,
            tasks=("wait",),
            words=("container server of pod", "the file holds a dict, which has no 'predict'"),
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
        End(
            id="service-crashes",
            title="A scoring service ends by itself whenever it is started",
            state=JobState.FAILED,
            reason=Reason.SERVICE_CRASHED,
            tasks=("wait",),
            words=("container server of pod", "ended 3 times with exit code 7"),
            seconds=300,
        ),
        End(
            id="service-out-of-memory",
            title="A scoring service needs more memory than its limit whenever it scores",
            state=JobState.FAILED,
            reason=Reason.OUT_OF_MEMORY,
            tasks=("wait",),
            words=("container server of pod", "needs more than its memory limit of 1Gi"),
            seconds=300,
        ),
        End(
            id="flow-out-of-memory",
            title="The flow needs more memory than its limit in every attempt",
            state=JobState.FAILED,
            reason=Reason.OUT_OF_MEMORY,
            tasks=("wait",),
            words=("container flow of pod", "needs more than its memory limit of 1Gi", "attempt 3"),
            seconds=300,
        ),
    ),
)
