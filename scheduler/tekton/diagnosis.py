"""What went wrong and what to do about it, by reason: one table, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scheduler.model.job import Diagnosis, Reason

_TABLE: Final[Mapping[Reason, tuple[str, str, str]]] = {
    # of a job that did not succeed: whoever completes or drains one may also end it badly
    Reason.COMPLETED_BY_REQUEST: (
        "user",
        "The job was declared failed from outside.",
        "Ask whoever the message names; start the job again when the cause is gone.",
    ),
    Reason.DRAINED: (
        "user",
        "The scoring was stopped before it had a complete result, so nothing was published.",
        "Start the job again when the result is wanted.",
    ),
    Reason.CANCELLED: ("user", "The job was cancelled.", "Start it again when it is wanted."),
    Reason.QUEUE_DEADLINE: (
        "capacity",
        "The job waited longer for room in the environment than its queue deadline allows.",
        "Look at what else runs there, raise the environment's quota, or give the job a longer queue deadline.",
    ),
    Reason.INSTALL_DEADLINE: (
        "platform",
        "Installing the job's services and flow took longer than the install deadline.",
        "Read the log of task install; check that the API server answers; give the job a longer install deadline.",
    ),
    Reason.READY_DEADLINE: (
        "model",
        "A scoring service or the flow did not become ready in time.",
        "Read the log of the service: a large model may need a longer ready deadline, a broken one never gets ready.",
    ),
    Reason.RUN_DEADLINE: (
        "capacity",
        "Scoring took longer than the run deadline.",
        "Give the job a longer run deadline, or look for a slow step or service in its log.",
    ),
    Reason.FINISH_DEADLINE: (
        "platform",
        "Removing the job's release took longer than the finish deadline.",
        "Look at the leftovers: an object with a stuck finalizer keeps its namespace busy; remove it by hand.",
    ),
    Reason.INSTALL_FAILED: (
        "platform",
        "Helm could not install the job's release.",
        "Read the log of task install; the message holds helm's own words.",
    ),
    Reason.INPUT_DIGEST_MISMATCH: (
        "platform",
        "The job's input is not what was submitted.",
        "Somebody replaced the job's ConfigMap; submit the job again.",
    ),
    Reason.IMAGE_MISSING: (
        "configuration",
        "A container image could not be pulled.",
        "Check that the image is in the registry, that the node reaches the registry, and the pull secrets.",
    ),
    Reason.MODEL_MISSING: (
        "model",
        "The artifact store does not have a model of this job for this environment.",
        "Deploy the pipeline again, so that its models are uploaded and granted to the environment.",
    ),
    Reason.MODEL_DIGEST_MISMATCH: (
        "model",
        "A model's bytes are not what its digest promises.",
        "Deploy the pipeline again; if it happens again, check the artifact store's volume.",
    ),
    Reason.MODEL_CORRUPT: (
        "model",
        "A scoring server could not load its model.",
        "Check that the model's type and the library versions it was trained with fit the scoring server.",
    ),
    Reason.SERVICE_CRASHED: (
        "model",
        "A scoring service ended by itself.",
        "Read the log of the scoring service.",
    ),
    Reason.FLOW_CRASHED: ("platform", "The scoring flow ended by itself.", "Read the log of the flow."),
    Reason.FLOW_REFUSED: (
        "configuration",
        "The stream engine refused the compiled flow.",
        "Look at the mappings and conditions of the steps that the message names.",
    ),
    Reason.OUT_OF_MEMORY: (
        "capacity",
        "A container used more memory than its limit.",
        "Raise `memory` of the Model (container server) or of the ScoringPipeline (flow), or score smaller batches.",
    ),
    Reason.UNSCHEDULABLE: (
        "capacity",
        "No node has room for a pod of this job.",
        "Lower the pod's requests, wait for other jobs to end, or add a node.",
    ),
    Reason.QUOTA_EXCEEDED: (
        "capacity",
        "The environment's quota has no room for this job.",
        "Wait for other jobs to end, or ask for a larger quota.",
    ),
    Reason.VOLUME_MISSING: (
        "configuration",
        "A volume that a data channel names is not in the environment.",
        "Create the PersistentVolumeClaim, or correct the channel's `volume`.",
    ),
    Reason.SOURCE_MISSING: ("data", "The source file is not there.", "Check the source channel's volume and path."),
    Reason.SOURCE_DAMAGED: (
        "data",
        "The source could not be read to its end.",
        "Check the file, its format and its compression; nothing was published.",
    ),
    Reason.SINK_NOT_WRITABLE: (
        "configuration",
        "The sink cannot be written.",
        "Check that the volume is writable for user 10001 and that the folder may be made.",
    ),
    Reason.DISK_FULL: ("capacity", "The sink's volume is full.", "Make room on the volume; nothing was published."),
    Reason.TOO_MANY_DEAD_LETTERS: (
        "data",
        "More records failed than `deadLetters.maxRatio` allows.",
        "Read the dead letters: each names its step and reason. Correct the data or the step, or allow more.",
    ),
    Reason.RECORD_FAILED: (
        "data",
        "A record failed in a step with `onError: fail`.",
        "Correct the record that the message names, or let the step dead-letter or drop such records.",
    ),
    Reason.ACCOUNTING_MISMATCH: (
        "platform",
        "The counts of the records do not add up, so nothing was published.",
        "Report this with the job's log: it is a fault of the flow runner.",
    ),
    Reason.SINK_CHECK_FAILED: (
        "platform",
        "A record did not come to the test sink, came twice, or came out of its order.",
        "Report this with the job's log and the numbers in the message: it is a fault of the flow runner.",
    ),
    Reason.COUNTS_LOST: (
        "platform",
        "The flow's final counts were lost, so its result cannot be trusted.",
        "Start the job again; if it happens again, look for a node that loses its pods.",
    ),
    Reason.LEAKED: (
        "platform",
        "Objects of the job's release are still there.",
        "Look at the leftovers and remove them by hand.",
    ),
    Reason.RELEASE_DELETED: (
        "user",
        "Parts of the job's Helm release were deleted while it ran.",
        "Cancel jobs through the API instead of uninstalling their releases; start the job again.",
    ),
    Reason.TASK_POD_LOST: (
        "platform",
        "The pod of one of the job's tasks was ended from outside before the task was done.",
        "Start the job again; if nobody deleted the pod, look for pressure on its node (`kubectl describe node`).",
    ),
    Reason.TEKTON: (
        "platform",
        "Tekton could not run the job.",
        "The message holds Tekton's own words; check its version, its tasks in the environment, its controller's log.",
    ),
}


def of(reason: Reason, *, detail: str = "") -> Diagnosis | None:
    """The diagnosis of a job that did not end well, by its reason; None where there is nothing to remedy."""
    if reason not in _TABLE:
        return None
    category, summary, resolution = _TABLE[reason]
    return Diagnosis(category=category, summary=summary, detail=detail, resolution=resolution)
