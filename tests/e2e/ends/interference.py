"""Rows: hands that reach into the cluster while a job is under way, and components of the cluster that start again."""

from __future__ import annotations

from typing import Final

from scheduler.model.job import JobState, Reason
from tests.e2e.ends.end import End, Section
from tests.e2e.recipes import BATCH

TEN_SECONDS: Final = 10 * BATCH
"""Records that the model which sleeps scores in ten seconds."""

SECTION: Final = Section(
    title="Interference with the cluster",
    text="Tekton makes a task's pod again that is gone; one that it sees fail first ends its task. A pod that is "
    "deleted with its grace period may do either, or both: an install task that was ended and then succeeds all the "
    "same finds its release removed, which task wait calls deleted. That a node starts again is not tried here: the "
    "local cluster has one node, the machine itself.",
    ends=(
        End(
            id="release-deleted",
            title="An administrator uninstalls the job's Helm release while it scores",
            state=JobState.FAILED,
            reason=Reason.RELEASE_DELETED,
            tasks=("wait",),
            words=("Job {id}-flow", "of the job's release", "deleted while it ran"),
        ),
        End(
            id="service-deleted",
            title="An administrator deletes the Deployment of a scoring service while the job scores",
            state=JobState.FAILED,
            reason=Reason.RELEASE_DELETED,
            tasks=("wait",),
            words=("Deployment {id}-python-", "of the job's release was deleted while it ran"),
        ),
        End(
            id="task-pod-evicted",
            title="The node evicts the pod of a task",
            state=JobState.FAILED,
            reason=Reason.TASK_POD_LOST,
            tasks=("install", "wait"),
            words=("the pod of task", "was ended from outside"),
            seconds=240,
        ),
        End(
            id="task-pod-made-again",
            title="The pod of a task is deleted and is gone at once",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            is_published=True,
        ),
        End(
            id="uninstall-pod-deleted",
            title="The pod of task uninstall is deleted: it is made again, or the janitor does its work",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            is_published=True,
        ),
        End(
            id="run-deleted",
            title="A job is asked for whose PipelineRun was deleted; the janitor has removed its release",
            status=404,
            refusal_exit_code=4,
            words=("PipelineRun was deleted",),
        ),
        End(
            id="namespace-deleted",
            title="A job is asked for whose environment's namespace was deleted; jobs of other environments go on",
            status=404,
            refusal_exit_code=4,
            words=("there is no job '{job}'", "PipelineRun was deleted"),
        ),
        End(
            id="tekton-controller-restarted",
            title="Tekton's controller starts again while a job scores and another one is asked for",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": TEN_SECONDS, "written": TEN_SECONDS},
            is_published=True,
        ),
        End(
            id="api-server-restarted",
            title="The API server is killed and starts again while a job scores",
            state=JobState.SUCCEEDED,
            reason=Reason.COMPLETED,
            ledger={"read": TEN_SECONDS, "written": TEN_SECONDS},
            is_published=True,
        ),
        End(
            id="asked-without-api-server",
            title="A job is asked for while the API server is away (with `Retry-After`)",
            status=503,
            refusal_exit_code=8,
            words=("the API server does not answer",),
        ),
    ),
)
