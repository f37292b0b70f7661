"""What each look at a release says about the job."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from scheduler import names
from scheduler.errors import UnavailableError
from scheduler.model.job import Ledger, Progress, Reason
from scheduler.model.types import Manifest
from scheduler.tasks import faults
from scheduler.tasks.flow_control import FakeFlowControl
from scheduler.tasks.flow_end import Ended
from scheduler.tasks.follower import Follower, Order
from scheduler.tasks.release_view import ReleaseView

from .releases import FLOW, JOB, NAMESPACE, ended_flow, flow_job, manifest, pod

ORDER = Order(job=JOB, namespace=NAMESPACE, pod="wait", ready_seconds=100, run_seconds=1000)
RUNNING = ReleaseView(flow_job=flow_job(), pods=(pod("f", podIP="10.0.0.1"),))
SCORING = Progress(phase="running", ledger=Ledger(read=5, written=5), records_per_second=7.0, total=10)


class At:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A follower with its clock and its flow."""

    def __init__(self) -> None:
        self.clock = At()
        self.flow = FakeFlowControl()
        self.follower = Follower(ORDER, flow=self.flow, clock=self.clock)
        self.final: tuple[Manifest, ...] = ()

    def look(self, at: float, shown: ReleaseView = RUNNING) -> Ended | None:
        self.clock.now = at
        return self.follower.step(shown, final_pods=lambda: self.final)


def noted(annotation: str, **note: Any) -> ReleaseView:
    run = {"metadata": {"annotations": {annotation: json.dumps(note)}}}
    return replace(RUNNING, run=run)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_job_is_starting_until_its_flow_says_that_it_scores(scene: Scene) -> None:
    assert scene.look(0) is None
    assert scene.follower.progress.phase == "starting"

    scene.flow.answers["10.0.0.1"] = SCORING
    assert scene.look(2) is None

    assert scene.follower.progress == SCORING
    scene.clock.now = 5
    assert scene.follower.scoring_seconds == 3


def test_the_flow_is_asked_once_a_second(scene: Scene) -> None:
    scene.flow.answers["10.0.0.1"] = SCORING
    scene.look(0)
    scene.flow.answers["10.0.0.1"] = replace(SCORING, total=11)

    scene.look(0.9)
    assert scene.follower.progress.total == 10
    scene.look(1)
    assert scene.follower.progress.total == 11


def test_a_flow_that_has_ended_is_asked_nothing_more(scene: Scene) -> None:
    """Its address may be nobody's any more: a question would be held up until it is given up."""
    ended = ended_flow("f", code=11)
    ended["status"] |= {"phase": "Running", "podIP": "10.0.0.1"}
    scene.flow.answers["10.0.0.1"] = SCORING

    scene.look(0, replace(RUNNING, pods=(ended,)))

    assert scene.follower.progress.phase == "starting"


def test_a_flow_that_starts_again_does_not_take_the_job_back_to_its_start(scene: Scene) -> None:
    scene.flow.answers["10.0.0.1"] = SCORING
    scene.look(0)
    scene.flow.answers["10.0.0.1"] = Progress(phase="starting")

    scene.look(2)

    assert (scene.follower.progress.phase, scene.follower.progress.message) == (
        "running",
        "the flow was started again",
    )


def test_a_complete_job_ends_with_its_counts(scene: Scene) -> None:
    scene.final = (ended_flow("f", message={"ledger": {"read": 2, "written": 2}, "total": 2}),)

    ended = scene.look(7, ReleaseView(flow_job=flow_job("Complete")))

    assert ended == Ended(is_success=True, reason=Reason.COMPLETED, ledger=Ledger(read=2, written=2), total=2)
    assert scene.follower.scoring_seconds == 7


def test_counts_that_cannot_be_read_now_are_read_later(scene: Scene) -> None:
    def silent() -> tuple[Manifest, ...]:
        raise UnavailableError("no answer")

    assert scene.follower.step(ReleaseView(flow_job=flow_job("Complete")), final_pods=silent) is None


def test_a_fault_counts_after_its_grace_and_only_if_it_stays(scene: Scene) -> None:
    waiting = {"reason": "ErrImagePull", "message": "i/o timeout"}
    bad = pod(
        "s", component="x", phase="Pending", containerStatuses=[{"name": "server", "state": {"waiting": waiting}}]
    )
    shown = ReleaseView(flow_job=flow_job(), pods=(bad,))
    grace = faults.IMAGE_GRACE_SECONDS

    assert scene.look(0, shown) is None
    assert scene.look(grace - 1, RUNNING) is None
    assert scene.look(grace, shown) is None
    assert scene.look(2 * grace - 1, shown) is None
    ended = scene.look(2 * grace, shown)

    assert ended is not None
    assert ended.reason is Reason.IMAGE_MISSING


def test_two_words_for_one_missing_image_are_one_fault(scene: Scene) -> None:
    """The kubelet alternates between ErrImagePull and ImagePullBackOff."""
    ended = None
    for second in range(40):
        word = ("ErrImagePull", "ImagePullBackOff")[second % 2]
        state = {"waiting": {"reason": word, "message": "i/o timeout"}}
        bad = pod("s", component="x", phase="Pending", containerStatuses=[{"name": "server", "state": state}])
        ended = ended or scene.look(second, ReleaseView(flow_job=flow_job(), pods=(bad,)))

    assert ended is not None


def unscheduled() -> Manifest:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no cpu"}
    return pod("s", component="x", phase="Pending", conditions=[condition])


def test_a_flow_that_scores_waits_longer_for_a_lost_service(scene: Scene) -> None:
    scene.flow.answers["10.0.0.1"] = SCORING
    shown = replace(RUNNING, pods=(*RUNNING.pods, unscheduled()))

    assert scene.look(0, shown) is None
    assert scene.look(faults.UNSCHEDULABLE_GRACE_SECONDS + 1, shown) is None
    ended = scene.look(301, shown)

    assert ended is not None
    assert ended.reason is Reason.UNSCHEDULABLE


def test_the_ready_deadline_says_what_is_not_ready(scene: Scene) -> None:
    labels = {names.COMPONENT: "scoring-server-pmml", names.MODEL: "delay"}
    deployment = manifest("Deployment", "d", labels=labels, spec={"replicas": 1})
    server = {"name": "server", "ready": False, "state": {"running": {}}}
    service = pod("s", component="scoring-server-pmml", containerStatuses=[server])
    shown = replace(RUNNING, deployments=(deployment,), pods=(*RUNNING.pods, service))

    scene.flow.answers["10.0.0.1"] = Progress(phase="starting", message="Connection refused")

    assert scene.look(99, shown) is None
    ended = scene.look(100, shown)

    assert ended == Ended(
        is_success=False,
        reason=Reason.READY_DEADLINE,
        message=(
            "not ready within 100 s: the scoring service of model 'delay' is not ready "
            "(pod s: server runs, but is not ready); the flow says: Connection refused"
        ),
    )


def test_a_deadline_that_a_known_fault_used_up_is_told_as_that_fault(scene: Scene) -> None:
    shown = replace(RUNNING, pods=(unscheduled(),))
    scene.look(50, shown)

    ended = scene.look(100, shown)

    assert ended is not None
    assert ended.reason is Reason.UNSCHEDULABLE
    assert ended.message == "no node takes pod s: no cpu (the ready deadline of 100 s came)"


def test_the_run_deadline_counts_from_the_first_record_and_keeps_the_counts(scene: Scene) -> None:
    scene.flow.answers["10.0.0.1"] = SCORING
    scene.look(90)

    assert scene.look(1089) is None
    ended = scene.look(1090)

    assert ended is not None
    assert (ended.reason, ended.ledger, ended.total) == (Reason.RUN_DEADLINE, SCORING.ledger, 10)
    assert ended.message == "scoring was not over after 1000 s: 5 of 10 records were read"


def test_a_drain_reaches_every_flow_once_it_can_be_reached(scene: Scene) -> None:
    shown = noted(names.DRAIN, by="ann")
    scene.look(0, shown)
    assert scene.flow.asked == []

    scene.flow.answers["10.0.0.1"] = SCORING
    scene.look(1, shown)
    scene.look(2, shown)

    assert scene.flow.asked == [("10.0.0.1", "drain")]


def test_a_flow_that_takes_the_place_of_another_hears_of_the_drain_too(scene: Scene) -> None:
    shown = noted(names.DRAIN, by="ann")
    scene.flow.answers = {"10.0.0.1": SCORING, "10.0.0.2": SCORING}
    scene.look(0, shown)

    scene.look(1, replace(shown, pods=(pod("g", podIP="10.0.0.2"),)))

    assert scene.flow.asked == [("10.0.0.1", "drain"), ("10.0.0.2", "drain")]


def test_a_drained_stream_is_a_success_in_its_own_words(scene: Scene) -> None:
    message = {"reason": "Drained", "message": "all of it", "ledger": {"read": 2, "written": 2}, "total": 2}
    scene.final = (ended_flow("f", message=message),)

    ended = scene.look(7, replace(noted(names.DRAIN, by="ann"), flow_job=flow_job("Complete")))

    assert ended == Ended(
        is_success=True, reason=Reason.DRAINED, message="all of it", ledger=Ledger(read=2, written=2), total=2
    )


def test_without_a_run_deadline_a_stream_goes_on(scene: Scene) -> None:
    scene.follower = Follower(replace(ORDER, run_seconds=0), flow=scene.flow, clock=scene.clock)
    scene.flow.answers["10.0.0.1"] = SCORING

    assert scene.look(0) is None
    assert scene.look(10_000_000) is None


def test_a_completion_waits_for_a_stream_that_drains(scene: Scene) -> None:
    scene.flow.answers["10.0.0.1"] = replace(SCORING, phase="draining")
    shown = noted(names.COMPLETION, outcome="Succeeded", by="ann")
    scene.look(0, shown)

    assert scene.look(500, shown) is None


def test_a_completion_as_success_lets_the_flow_end_by_itself(scene: Scene) -> None:
    scene.flow.answers["10.0.0.1"] = SCORING
    shown = noted(names.COMPLETION, outcome="Succeeded", by="ann", message="enough")
    assert scene.look(0, shown) is None
    assert scene.flow.asked == [("10.0.0.1", "complete")]
    scene.final = (
        ended_flow("f", code=10, message={"reason": "CompletedByRequest", "ledger": {"read": 7, "written": 7}}),
    )

    ended = scene.look(3, replace(shown, flow_job=flow_job("Failed")))

    assert ended == Ended(
        is_success=True,
        reason=Reason.COMPLETED_BY_REQUEST,
        message="completed by ann: enough",
        ledger=Ledger(read=7, written=7),
    )


def test_a_flow_that_does_not_hear_of_its_completion_is_not_waited_for_for_ever(scene: Scene) -> None:
    shown = noted(names.COMPLETION, outcome="Succeeded", by="ann")

    assert scene.look(0, shown) is None
    ended = scene.look(61, shown)

    assert ended is not None
    assert (ended.is_success, ended.reason) == (True, Reason.COMPLETED_BY_REQUEST)


def test_a_completion_as_failure_counts_at_once(scene: Scene) -> None:
    ended = scene.look(0, noted(names.COMPLETION, outcome="Failed", by="ann", message="wrong data"))

    assert ended is not None
    assert (ended.is_success, ended.message) == (False, "declared failed by ann: wrong data")
    assert scene.flow.asked == [], "a stream would publish what it has"


def test_a_flow_that_completed_beats_a_request_that_came_too_late(scene: Scene) -> None:
    scene.final = (ended_flow("f", message={"ledger": {"read": 2, "written": 2}}),)
    shown = replace(noted(names.COMPLETION, outcome="Failed", by="ann"), flow_job=flow_job("Complete"))

    ended = scene.look(0, shown)

    assert ended is not None
    assert ended.reason is Reason.COMPLETED


def test_a_release_that_was_removed_before_it_was_seen_is_told(scene: Scene) -> None:
    assert scene.look(0, ReleaseView()) is None
    ended = scene.look(16, ReleaseView())
    assert ended is not None
    assert ended.reason is Reason.RELEASE_DELETED


def test_what_cannot_be_seen_is_not_taken_for_absent(scene: Scene) -> None:
    blind = ReleaseView(unseen="Job: could not list Job: forbidden")

    assert scene.look(0, blind) is None
    assert scene.look(99, blind) is None
    ended = scene.look(100, blind)

    assert ended is not None
    assert (ended.reason, ended.message) == (
        Reason.READY_DEADLINE,
        "not ready within 100 s: Job: could not list Job: forbidden",
    )


SERVICE = manifest("Deployment", "d", labels={names.COMPONENT: "scoring-server-pmml", names.MODEL: "delay"})


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (ReleaseView(), f"Deployment d, Job {FLOW} of the job's release were"),
        (replace(RUNNING, deployments=()), "Deployment d of the job's release was"),
        (ReleaseView(deployments=(SERVICE,)), f"Job {FLOW} of the job's release was"),
    ],
    ids=["all of it", "a service", "the flow"],
)
def test_a_release_that_is_deleted_ends_the_job_at_once(scene: Scene, later: ReleaseView, words: str) -> None:
    scene.look(0, replace(RUNNING, deployments=(SERVICE,)))
    ended = scene.look(1, later)

    message = f"{words} deleted while it ran"
    assert ended == Ended(is_success=False, reason=Reason.RELEASE_DELETED, message=message)


def test_a_flow_that_is_being_deleted_counts_as_deleted(scene: Scene) -> None:
    scene.look(0)
    leaving = flow_job()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ended = scene.look(1, replace(RUNNING, flow_job=leaving))

    assert ended is not None
    assert ended.reason is Reason.RELEASE_DELETED


def test_a_flow_that_was_complete_before_it_was_deleted_has_succeeded(scene: Scene) -> None:
    scene.look(0)
    scene.final = (ended_flow("f", message={"ledger": {"read": 2, "written": 2}}),)
    leaving = flow_job("Complete")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ended = scene.look(1, ReleaseView(flow_job=leaving))

    assert ended is not None
    assert ended.reason is Reason.COMPLETED


def test_a_job_that_waits_for_room_says_so_and_waits_as_long_as_it_may(scene: Scene) -> None:
    why = 'pods "x" is forbidden: exceeded quota: jobs, requested: pods=1, used: pods=2, limited: pods=2'
    failure = {"type": "ReplicaFailure", "status": "True", "message": why}
    full = replace(RUNNING, deployments=({**SERVICE, "status": {"conditions": [failure]}},))
    message = f"Deployment d may not have its pod: {why}"

    assert scene.look(0, full) is None
    assert scene.look(99, full) is None
    assert scene.follower.progress.message == message
    assert scene.look(99.5, replace(RUNNING, deployments=(SERVICE,))) is None
    assert scene.follower.progress.message == ""
    ended = scene.look(100, full)

    assert ended is not None
    assert (ended.reason, ended.message) == (
        Reason.QUOTA_EXCEEDED,
        f"{message} (the ready deadline of 100 s came)",
    )
