"""What one row of the table of ends says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from scheduler.cli import exit_codes
from scheduler.model.job import Cleanup, Diagnosis, JobState, Reason
from scheduler.tekton import diagnosis

_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One way in which an order or a job can end; with `state` it is a job's end, without it a refusal."""

    id: str
    """Words of lower-case letters and digits with hyphens; what the mark `end` of a test names."""
    title: str
    """What happens, as the documentation prints it."""
    state: JobState | None = None
    reason: Reason = Reason.NONE
    tasks: tuple[str, ...] = ("",)
    """Any of them; a job that succeeded names none."""
    words: tuple[str, ...] = ()
    """Each is in the message (of a refusal: in its problems). `{name}` stands for what only the test knows."""
    ledger: Mapping[str, int] | None = None
    """The terms that are not 0; None where the job has no counts, or none that could be foretold."""
    is_published: bool = False
    """Whether the sink's file and its manifest are there afterwards; otherwise nothing of the job's is."""
    cleanups: tuple[Cleanup, ...] = (Cleanup.CLEAN,)
    """Any of them; nothing but what LEAKED names is left in the cluster."""
    seconds: int = 180
    """From the order to the job's end, with others at work beside it."""
    status: int | None = None
    """HTTP status of a refusal."""
    refusal_exit_code: int | None = None
    """What `modelops` ends with when it is refused; a job's own is `exit_code`."""

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Without its detail, which is the message. None where there is nothing to remedy."""
        if self.state is None or (self.state is JobState.SUCCEEDED and self.cleanups == (Cleanup.CLEAN,)):
            return None
        return diagnosis.of(self.reason)

    @property
    def exit_code(self) -> int:
        """What the command ends with that asked for the job and watched it."""
        if self.state is None:
            assert self.refusal_exit_code is not None, self.id
            return self.refusal_exit_code
        return exit_codes.of_job(self.state, self.cleanups[0])

    def said(self, **known: str) -> tuple[str, ...]:
        """The words with what the test knows in place of the placeholders."""
        return tuple(_PLACEHOLDER.sub(lambda found: known[found[1]], word) for word in self.words)

    def complaints(self) -> Iterator[str]:
        """Every way in which the row contradicts itself."""
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id):
            yield f"'{self.id}' is no id"
        is_refusal = self.status is not None
        if is_refusal == (self.state is not None) or is_refusal != (self.refusal_exit_code is not None):
            yield f"{self.id} is either a job's end, with a state, or a refusal, with status and exit code"
        if self.state is not None and not self.state.is_finished:
            yield f"{self.id} does not end"
        if self.state not in {None, JobState.SUCCEEDED} and self.diagnosis is None:
            yield f"{self.id} has no diagnosis"
        if self.state not in {None, JobState.SUCCEEDED} and self.reason is Reason.NONE:
            yield f"{self.id} has no reason"
        if (is_refusal or self.state is not JobState.SUCCEEDED) and not self.words:
            yield f"{self.id} says nothing that the message must contain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows that belong together."""

    title: str
    text: str
    """What they have in common, for the documentation."""
    ends: tuple[End, ...]
