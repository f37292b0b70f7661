"""What is remembered of a release from one look at it to the next, and what each look says about the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from scheduler import names
from scheduler.errors import SchedulerError
from scheduler.model import job_json
from scheduler.model.job import Ledger, Progress, Reason
from scheduler.model.types import Manifest
from scheduler.tasks import faults, flow_end, unready
from scheduler.tasks.faults import Fault
from scheduler.tasks.flow_control import FlowControl, Wish
from scheduler.tasks.flow_end import Ended
from scheduler.tasks.progress import joined
from scheduler.tasks.release_view import FLOW, ReleaseView, component
from scheduler.tekton import view

FinalPods: TypeAlias = Callable[[], tuple[Manifest, ...]]
"""The release's pods, asked for now."""

POLL_SECONDS: Final = 1.0
_ABSENT_SECONDS: Final = 15.0
"""How long the flow's batch Job may be missing from what the cluster shows."""
_COMPLETION_SECONDS: Final = 60.0
"""How long a flow may take to begin its end after it was asked to."""
_OUTAGES: Final = frozenset({Reason.UNSCHEDULABLE, Reason.QUOTA_EXCEEDED})
_OUTAGE_SECONDS: Final = 300.0
"""While a flow scores it waits for a service that is gone; a lost pod may come back elsewhere."""
_SCORING: Final = frozenset({"running", "draining", "finished"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    job: str
    namespace: str
    pod: str
    """Of this very task."""
    ready_seconds: float
    run_seconds: float
    """0: no deadline."""


class Follower:
    """What is remembered from one look at the release to the next."""

    def __init__(self, order: Order, *, flow: FlowControl, clock: Callable[[], float]) -> None:
        self._said = Progress(phase="starting")
        self._hindrance = ""
        self._order, self._flow, self._clock = order, flow, clock
        self._began = clock()
        self._scoring_since: float | None = None
        self._polled = float("-inf")
        self._first_seen: dict[tuple[Reason, str], float] = {}
        self._asked_at: dict[Wish, float] = {}
        self._heard: set[tuple[Wish, str]] = set()
        self._seen: frozenset[str] = frozenset()

    @property
    def progress(self) -> Progress:
        """What the flow said last; its message is what the job waits for, if there is such a thing."""
        return replace(self._said, message=self._hindrance or self._said.message)

    @property
    def scoring_seconds(self) -> float:
        return 0.0 if self._scoring_since is None else self._clock() - self._scoring_since

    @property
    def pause_seconds(self) -> float:
        return max(0.05, self._polled + POLL_SECONDS - self._clock())

    def step(self, shown: ReleaseView, *, final_pods: FinalPods) -> Ended | None:
        """One look; None while the job goes on."""
        self._poll(shown)
        over = self._over(shown, final_pods) or self._deleted(shown)
        if over is not None:
            return over
        asked = self._asked(shown)
        if asked is not None:
            return asked
        return self._faulty(shown) or self._late(shown)

    def _poll(self, shown: ReleaseView) -> None:
        if self._clock() - self._polled < POLL_SECONDS or not shown.running_flows:
            return
        self._polled = self._clock()
        said = joined([found for address in shown.running_flows if (found := self._flow.progress(address))])
        if said is None:
            return
        if said.phase in _SCORING and self._scoring_since is None:
            self._scoring_since = self._clock()
        if said.phase == "starting" and self._scoring_since is not None:
            said = replace(said, phase="running", message=said.message or "the flow was started again")
        self._said = said

    def _over(self, shown: ReleaseView, final_pods: FinalPods) -> Ended | None:
        """The end of the flow's batch Job, or that there never was one."""
        if shown.flow_job is None:
            return self._absent(shown)
        if not flow_end.is_over(shown.flow_job, shown.flow_pods):
            return None
        try:
            pods = [pod for pod in final_pods() if component(pod) == FLOW]
        except SchedulerError:
            return None  # asked again at the next step
        if not flow_end.is_over(shown.flow_job, pods):
            return None  # a pod that had succeeded is gone: the Job says what that means
        ended = flow_end.read(shown.flow_job, pods)
        if ended.is_success and self._scoring_since is None:
            self._scoring_since = self._began
        completion = _note(shown, names.COMPLETION)
        is_asked = ended.reason in {Reason.COMPLETED_BY_REQUEST, Reason.DRAINED}
        if is_asked and completion.get("outcome") == "Succeeded":
            return _by_request(completion, ledger=ended.ledger, total=ended.total)
        return ended

    def _absent(self, shown: ReleaseView) -> Ended | None:
        if not self._seen and not shown.unseen and self._clock() - self._began > _ABSENT_SECONDS:
            # helm was through: Tekton may end an install task whose pod is deleted and make the pod again all the same
            return _lost(
                "nothing of the job's release is there: it was deleted before its flow was seen", Reason.RELEASE_DELETED
            )
        return None

    def _deleted(self, shown: ReleaseView) -> Ended | None:
        """What was there and is gone, or going: somebody takes the release away."""
        workloads = shown.deployments if shown.flow_job is None else (shown.flow_job, *shown.deployments)
        there = {f"{item['kind']} {item['metadata']['name']}" for item in workloads if not _is_leaving(item)}
        gone = sorted(self._seen - there)
        self._seen |= there
        if not gone:
            return None
        verb = "was" if len(gone) == 1 else "were"
        return _lost(f"{', '.join(gone)} of the job's release {verb} deleted while it ran", Reason.RELEASE_DELETED)

    def _asked(self, shown: ReleaseView) -> Ended | None:
        """Pass wishes on to the flow; what outcome the wish itself has."""
        if _note(shown, names.DRAIN):
            self._tell(shown, "drain")
        completion = _note(shown, names.COMPLETION)
        if not completion:
            return None
        if completion.get("outcome") == "Succeeded":
            self._tell(shown, "complete")
            is_late = self._clock() - self._asked_at["complete"] > _COMPLETION_SECONDS
            if not is_late or self._said.phase == "draining":
                return None  # the flow ends by itself and says how far it came
        # of a failure the flow is not told: a stream would publish what it has
        return _by_request(completion, ledger=self._said.ledger, total=self._said.total)

    def _tell(self, shown: ReleaseView, wish: Wish) -> None:
        """Ask each runner of the flow until it has heard; one that takes the place of another is asked too."""
        self._asked_at.setdefault(wish, self._clock())
        for address in shown.running_flows:
            if (wish, address) not in self._heard and self._flow.ask(address, wish):
                self._heard.add((wish, address))

    def _faulty(self, shown: ReleaseView) -> Ended | None:
        """The first fault that has been there for longer than its grace."""
        now = self._clock()
        found = faults.find(shown)
        self._hindrance = found[0].message if found else ""
        self._first_seen = {(fault.reason, fault.subject): self._since(fault, now) for fault in found}
        for fault in found:
            is_outage = self._scoring_since is not None and fault.reason in _OUTAGES
            patience = _OUTAGE_SECONDS if is_outage else fault.grace_seconds
            if now - self._since(fault, now) >= patience:
                return _lost(fault.message, fault.reason)
        return None

    def _since(self, fault: Fault, now: float) -> float:
        return self._first_seen.get((fault.reason, fault.subject), now)

    def _late(self, shown: ReleaseView) -> Ended | None:
        """A deadline that has passed; of one that a known fault has used up, the fault is the reason."""
        order, now = self._order, self._clock()
        if self._scoring_since is None:
            if now - self._began < order.ready_seconds:
                return None
            return self._not_ready(shown)
        if not order.run_seconds or now - self._scoring_since < order.run_seconds:
            return None
        said = self._said
        read = f"{said.ledger.read} records" if said.total is None else f"{said.ledger.read} of {said.total} records"
        ended = _lost(f"scoring was not over after {order.run_seconds:g} s: {read} were read", Reason.RUN_DEADLINE)
        return replace(ended, ledger=said.ledger, total=said.total)

    def _not_ready(self, shown: ReleaseView) -> Ended:
        seconds = f"{self._order.ready_seconds:g} s"
        for fault in faults.find(shown):
            return _lost(f"{fault.message} (the ready deadline of {seconds} came)", fault.reason)
        said = f"; the flow says: {self._said.message}" if self._said.message else ""
        words = shown.unseen or unready.described(shown) + said
        return _lost(f"not ready within {seconds}: {words}", Reason.READY_DEADLINE)


def _is_leaving(manifest: Manifest) -> bool:
    return "deletionTimestamp" in manifest["metadata"]


def _lost(message: str, reason: Reason) -> Ended:
    return Ended(is_success=False, reason=reason, message=message)


def _by_request(completion: Mapping[str, Any], *, ledger: Ledger | None, total: int | None) -> Ended:
    """What whoever completed the job says of it."""
    who = view.text(completion, "by") or "somebody"
    said = view.text(completion, "message")
    is_success = completion.get("outcome") == "Succeeded"
    what = "completed" if is_success else "declared failed"
    return Ended(
        is_success=is_success,
        reason=Reason.COMPLETED_BY_REQUEST,
        message=f"{what} by {who}" + (f": {said}" if said else ""),
        ledger=ledger,
        total=total,
    )


def _note(shown: ReleaseView, annotation: str) -> Mapping[str, Any]:
    """What an annotation of the run holds; empty without it."""
    return job_json.parse(view.text(shown.run or {}, "metadata", "annotations", annotation))
