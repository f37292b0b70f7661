"""How far a job is, from what its flow runners say, and written where the server sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import SchedulerError
from scheduler.model import job_json
from scheduler.model.job import Ledger, Progress

PAUSE_SECONDS: Final = 2.0
"""Between two writes of one phase."""
_ORDER: Final = ("starting", "running", "draining", "finished")


def joined(said: Sequence[Progress]) -> Progress | None:
    """One progress of several flow runners: the phase of the one that is furthest behind, counts summed."""
    if not said:
        return None
    totals = [progress.total for progress in said]
    known = [total for total in totals if total is not None]
    phases = [progress.phase if progress.phase in _ORDER else "starting" for progress in said]
    return Progress(
        phase=min(phases, key=_ORDER.index),
        ledger=sum((progress.ledger for progress in said), Ledger()),
        records_per_second=round(sum(progress.records_per_second for progress in said), 1),
        total=sum(known) if len(known) == len(totals) else None,
        message="; ".join(dict.fromkeys(progress.message for progress in said if progress.message)),
    )


@dataclass
class Notice:
    """The progress on the pod of `wait`, as the annotation `modelops.dev/progress`."""

    cluster: Cluster
    namespace: str
    pod: str
    _written: Progress | None = None
    _at: float = float("-inf")

    def write(self, progress: Progress, *, now: float, stamp: str) -> None:
        """Write what is new: another phase at once, anything else now and then. That it fails does no harm."""
        if self._written is not None:
            is_same_phase = self._written.phase == progress.phase
            if progress == self._written or (is_same_phase and now - self._at < PAUSE_SECONDS):
                return
        text = json.dumps(job_json.progress_to_json(replace(progress, updated=stamp)), separators=(",", ":"))
        self._at = now
        try:
            self.cluster.patch("Pod", self.pod, self.namespace, {"metadata": {"annotations": {names.PROGRESS: text}}})
        except SchedulerError:
            return  # the next one is written again
        self._written = progress
