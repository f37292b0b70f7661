"""A job as it is reported, and the facts that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scheduler.model.pipeline import Scalar


class JobState(StrEnum):
    QUEUED = "QUEUED"
    INSTALLING = "INSTALLING"
    """Helm installs, and services and flow become ready."""
    RUNNING = "RUNNING"
    DRAINING = "DRAINING"
    CANCELLING = "CANCELLING"
    FINISHING = "FINISHING"
    """Scoring is over, `uninstall` is at work."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_finished(self) -> bool:
        return self in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.TIMED_OUT}


class Cleanup(StrEnum):
    NOT_NEEDED = "NOT_NEEDED"
    PENDING = "PENDING"
    CLEAN = "CLEAN"
    LEAKED = "LEAKED"


class Reason(StrEnum):
    """Why a job is in its state: a closed set; the raw Tekton reason stands beside it in the message."""

    NONE = ""
    COMPLETED = "Completed"
    COMPLETED_BY_REQUEST = "CompletedByRequest"
    CANCELLED = "Cancelled"
    DRAINED = "Drained"
    QUEUE_DEADLINE = "QueueDeadline"
    INSTALL_DEADLINE = "InstallDeadline"
    READY_DEADLINE = "ReadyDeadline"
    RUN_DEADLINE = "RunDeadline"
    FINISH_DEADLINE = "FinishDeadline"
    INSTALL_FAILED = "InstallFailed"
    INPUT_DIGEST_MISMATCH = "InputDigestMismatch"
    IMAGE_MISSING = "ImageMissing"
    MODEL_MISSING = "ModelMissing"
    MODEL_DIGEST_MISMATCH = "ModelDigestMismatch"
    MODEL_CORRUPT = "ModelCorrupt"
    SERVICE_CRASHED = "ServiceCrashed"
    FLOW_CRASHED = "FlowCrashed"
    FLOW_REFUSED = "FlowRefused"
    """Bento refused the compiled configuration."""
    OUT_OF_MEMORY = "OutOfMemory"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    VOLUME_MISSING = "VolumeMissing"
    SOURCE_MISSING = "SourceMissing"
    SOURCE_DAMAGED = "SourceDamaged"
    SINK_NOT_WRITABLE = "SinkNotWritable"
    DISK_FULL = "DiskFull"
    TOO_MANY_DEAD_LETTERS = "TooManyDeadLetters"
    RECORD_FAILED = "RecordFailed"
    """A step with `onError: fail` met a record that it could not process."""
    ACCOUNTING_MISMATCH = "AccountingMismatch"
    SINK_CHECK_FAILED = "SinkCheckFailed"
    """A test sink missed a record, or one came twice or out of its order."""
    COUNTS_LOST = "CountsLost"
    LEAKED = "Leaked"
    RELEASE_DELETED = "ReleaseDeleted"
    TASK_POD_LOST = "TaskPodLost"
    """The pod of a task was deleted or evicted before the task could say how it ended."""
    TEKTON = "TektonFailed"
    """Anything that Tekton reports and this table does not know; its words are in the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What went wrong and what to do about it, for people."""

    category: str
    """configuration | data | model | capacity | platform | user"""
    summary: str
    detail: str = ""
    resolution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The records of a job; each term has its own counter, none is derived from the others."""

    read: int = 0
    written: int = 0
    dead_lettered: int = 0
    dropped: int = 0
    filtered: int = 0
    split: int = 0
    folded: int = 0

    @property
    def balances(self) -> bool:
        """read + split = written + deadLettered + dropped + filtered + folded"""
        return self.read + self.split == self.written + self.dead_lettered + self.dropped + self.filtered + self.folded

    def __add__(self, other: Ledger) -> Ledger:
        return Ledger(**{name: getattr(self, name) + getattr(other, name) for name in TERMS})


TERMS = ("read", "written", "dead_lettered", "dropped", "filtered", "split", "folded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What `wait` knows while the job runs."""

    phase: str = ""
    """starting | running | draining | finished"""
    ledger: Ledger = field(default_factory=Ledger)
    records_per_second: float = 0.0
    total: int | None = None
    """Records in the finite source, once the flow runner has counted them."""
    message: str = ""
    updated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What was asked, and by whom; kept as JSON in an annotation of the run."""

    pipeline: str
    revision: int | None = None
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    deadlines: Mapping[str, int] = field(default_factory=dict)
    """All five in seconds, as they apply to this job."""
    trigger: Mapping[str, object] | None = None
    """Opaque reference to what caused the job, kept as it came."""
    git: Mapping[str, str] | None = None
    """{path, ref, commit} when the IR came from the git server."""
    data_versions: Mapping[str, str] = field(default_factory=dict)
    """Channel name -> data version of each source that gave one."""
    submitted_by: str = ""
    submitted_at: str = ""
    digests: Mapping[str, object] = field(default_factory=dict)
    """{ir, values, body, charts, models: {name: sha256}, images: {name: ref}}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One scoring job as the cluster shows it now."""

    id: str
    environment: str
    state: JobState
    cleanup: Cleanup
    submission: Submission
    task: str = ""
    """Pipeline task at work, or the one that failed: install | wait | uninstall."""
    reason: Reason = Reason.NONE
    message: str = ""
    diagnosis: Diagnosis | None = None
    records: Ledger | None = None
    records_per_second: float | None = None
    progress: Progress | None = None
    leftovers: tuple[str, ...] = ()
    timestamps: Mapping[str, str] = field(default_factory=dict)
    """State -> RFC 3339 time at which it was entered, as far as the cluster knows."""
    resource_version: str = ""
