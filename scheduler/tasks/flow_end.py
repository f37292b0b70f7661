"""How the flow's batch Job ended, from the termination messages of its pods. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scheduler.model import job_json
from scheduler.model.job import Ledger, Reason
from scheduler.model.types import Manifest
from scheduler.tasks import faults
from scheduler.tasks.release_view import FLOW, condition, flow_terminated
from scheduler.tekton import view

_FINISHED: Final = frozenset({Reason.DRAINED.value, Reason.COMPLETED_BY_REQUEST.value})
"""Reasons of a stream that ended with a complete result because somebody asked it to end."""
_INDEX: Final = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An end of the scoring: as the flow said, or why it could not say."""

    is_success: bool
    reason: Reason
    message: str = ""
    ledger: Ledger | None = None
    total: int | None = None


def is_over(flow_job: Manifest, pods: Sequence[Manifest] = ()) -> bool:
    """Whether the batch Job has ended, or the flow of each index has: the Job says so a second or two later."""
    return _has_failed(flow_job) or _has_succeeded(flow_job, pods)


def read(flow_job: Manifest, pods: Sequence[Manifest]) -> Ended:
    """The end of a batch Job that is over; `pods` are all that there are of it."""
    return _complete(flow_job, pods) if _has_succeeded(flow_job, pods) else _failed(flow_job, pods)


def _has_failed(flow_job: Manifest) -> bool:
    return any(condition(flow_job, type_) for type_ in ("Failed", "FailureTarget"))


def _has_succeeded(flow_job: Manifest, pods: Sequence[Manifest]) -> bool:
    if condition(flow_job, "Complete"):
        return True
    done = {_index(pod) for pod in pods if _is_done(pod)}
    return not _has_failed(flow_job) and all(str(index) in done for index in range(_completions(flow_job)))


def _is_done(pod: Manifest) -> bool:
    """Whether the flow ended with a published result; its pod is `Succeeded` only when its sandbox is gone too.

    A pod that failed all the same, because its node threw it out, counts as its Job counts it.
    """
    return view.text(pod, "status", "phase") != "Failed" and flow_terminated(pod).get("exitCode") == 0


def _completions(flow_job: Manifest) -> int:
    return int(view.mapping(flow_job, "spec").get("completions") or 1)


def _complete(flow_job: Manifest, pods: Sequence[Manifest]) -> Ended:
    """The sum over one succeeded pod for each index; a missing or unreadable message means that nobody knows."""
    reason, message = Reason.COMPLETED, ""
    by_index: dict[str, Manifest] = {}
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", ""))):
        if _is_done(pod):
            by_index.setdefault(_index(pod), pod)
    ledger, total = Ledger(), 0
    counted_all = True
    for index in range(_completions(flow_job)):
        winner = by_index.get(str(index))
        said = {} if winner is None else job_json.parse(flow_terminated(winner).get("message"))
        found = job_json.ledger_from_json(said.get("ledger"))
        if winner is None or found is None:
            who = f"pod of index {index}" if winner is None else f"pod {winner['metadata']['name']}"
            message = f"the flow completed, but the final counts of the {who} are lost"
            return Ended(is_success=False, reason=Reason.COUNTS_LOST, message=message)
        ledger += found
        if said.get("reason") in _FINISHED:
            reason, message = Reason(said["reason"]), view.text(said, "message")
        counted = said.get("total")
        counted_all = counted_all and isinstance(counted, int)
        total += counted if isinstance(counted, int) else 0
    if not ledger.balances:
        message = f"the flow completed, but its counts do not add up: {job_json.ledger_to_json(ledger)}"
        return Ended(is_success=False, reason=Reason.ACCOUNTING_MISMATCH, message=message, ledger=ledger)
    total_ = total if counted_all else None
    return Ended(is_success=True, reason=reason, message=message, ledger=ledger, total=total_)


def _failed(flow_job: Manifest, pods: Sequence[Manifest]) -> Ended:
    """What the pod that failed last said; without words of its own, how Kubernetes saw it end."""
    why = condition(flow_job, "Failed") or condition(flow_job, "FailureTarget")
    ended = sorted(
        (pod for pod in pods if flow_terminated(pod).get("exitCode")),
        key=lambda pod: (str(flow_terminated(pod).get("finishedAt", "")), str(pod["metadata"]["name"])),
    )
    if not ended:
        message = f"the flow's Job failed ({view.text(why, 'reason')}: {view.text(why, 'message')})"
        return Ended(is_success=False, reason=Reason.FLOW_CRASHED, message=message)
    pod = ended[-1]
    terminated = flow_terminated(pod)
    said = job_json.parse(terminated.get("message"))
    reason, message = faults.container_words(terminated)
    name, attempts = pod["metadata"]["name"], f" (attempt {len(ended)})" if len(ended) > 1 else ""
    # the kernel may kill the container, which then says nothing, or only the engine in it
    if reason is Reason.OUT_OF_MEMORY or (reason is None and terminated.get("reason") == "OOMKilled"):
        limit = faults.memory_limit(pod, FLOW)
        message = f"container {FLOW} of pod {name} needs more than its memory limit of {limit}{attempts}"
        return Ended(is_success=False, reason=Reason.OUT_OF_MEMORY, message=message)
    if reason is not None:
        total = said.get("total")
        return Ended(
            is_success=False,
            reason=reason,
            message=f"{message}{attempts}" if message else f"pod {name} gave no more words than {reason}{attempts}",
            ledger=job_json.ledger_from_json(said.get("ledger")),
            total=total if isinstance(total, int) else None,
        )
    message = f"container {FLOW} of pod {name} ended with exit code {terminated['exitCode']}{attempts}"
    return Ended(is_success=False, reason=Reason.FLOW_CRASHED, message=message)


def _index(pod: Manifest) -> str:
    return view.text(pod, "metadata", "labels", _INDEX) or view.text(pod, "metadata", "annotations", _INDEX) or "0"
