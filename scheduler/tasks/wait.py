"""Task `wait`: follow the job's release to its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from scheduler.cluster.port import Cluster
from scheduler.errors import SchedulerError
from scheduler.model import job_json
from scheduler.release import dismissal
from scheduler.release.stop import Stop
from scheduler.tasks.flow_control import FlowControl
from scheduler.tasks.flow_end import Ended
from scheduler.tasks.follower import Follower, Order
from scheduler.tasks.progress import Notice
from scheduler.tasks.release_view import ReleaseView
from scheduler.tasks.watching import Watching
from scheduler.tekton import diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    ended: Ended
    seconds: float
    """Since the flow began to score."""

    def fields(self) -> dict[str, object]:
        ended = self.ended
        found = None if ended.is_success else diagnosis.of(ended.reason, detail=ended.message)
        return {
            "outcome": "Succeeded" if ended.is_success else "Failed",
            "reason": ended.reason.value,
            "message": ended.message,
            "ledger": None if ended.ledger is None else job_json.ledger_to_json(ended.ledger),
            "total": ended.total,
            "seconds": round(self.seconds, 1),
            **({} if found is None else {"diagnosis": job_json.diagnosis_to_json(found)}),
        }


def run(
    order: Order,
    *,
    cluster: Cluster,
    flow: FlowControl,
    stop: Stop,
    clock: Callable[[], float],
    stamp: Callable[[], str],
) -> Waited:
    """How the scoring ended: as the flow says, as somebody asked, or by a fault or deadline. StoppedError by SIGTERM.

    `clock` counts seconds, `stamp` gives the time of day for people. After a success nobody asks the scoring services
    any more: they are let go at once. After a failure they stay until the release is removed, for whoever looks.
    """
    follower = Follower(order, flow=flow, clock=clock)
    notice = Notice(cluster=cluster, namespace=order.namespace, pod=order.pod)
    with Watching(cluster, namespace=order.namespace, job=order.job, bell=stop.bell) as watching:
        while True:
            stop.check()
            shown = watching.now()
            ended = follower.step(shown, final_pods=watching.final_pods)
            notice.write(follower.progress, now=clock(), stamp=stamp())
            if ended is not None:
                last = replace(follower.progress, phase="finished", ledger=ended.ledger or follower.progress.ledger)
                notice.write(last, now=clock(), stamp=stamp())
                if ended.is_success and not _has_running_flow(shown, watching):
                    dismissal.dismiss(shown.deployments, namespace=order.namespace, cluster=cluster)
                return Waited(ended=ended, seconds=follower.scoring_seconds)
            stop.pause(follower.pause_seconds)


def _has_running_flow(shown: ReleaseView, watching: Watching) -> bool:
    """By the pods as they are now, if they can be had: the end may have been seen in the Job alone."""
    with suppress(SchedulerError):
        shown = replace(shown, pods=watching.final_pods())
    return bool(shown.running_flows)
