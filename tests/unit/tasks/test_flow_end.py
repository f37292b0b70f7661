"""How a flow's batch Job ended."""

from __future__ import annotations

import pytest

from scheduler.model import job_json
from scheduler.model.job import Ledger, Reason
from scheduler.tasks import flow_end
from scheduler.tasks.flow_end import Ended

from .releases import ended_flow, flow_job, pod


def said(read: int, written: int, **more: object) -> dict[str, object]:
    ledger = Ledger(read=read, written=written, filtered=read - written)
    return {
        "outcome": "Succeeded",
        "reason": "Completed",
        "ledger": job_json.ledger_to_json(ledger),
        "total": read,
        **more,
    }


def test_a_complete_job_sums_one_succeeded_pod_of_each_index() -> None:
    pods = [
        ended_flow("a", index=0, code=11, message={"reason": "DiskFull"}),
        ended_flow("b", index=0, message=said(10, 9)),
        ended_flow("c", index=1, message=said(5, 5)),
        ended_flow("d", index=1, message=said(5, 5)),
    ]

    assert flow_end.read(flow_job("SuccessCriteriaMet", "Complete", completions=2), pods) == Ended(
        is_success=True,
        reason=Reason.COMPLETED,
        ledger=Ledger(read=15, written=14, filtered=1),
        total=15,
    )


def test_a_job_is_over_when_a_pod_of_each_index_has_succeeded_whatever_its_controller_says_yet() -> None:
    pods = [ended_flow("a", index=0, message=said(10, 9)), ended_flow("b", index=1, message=said(5, 5))]
    job = flow_job(completions=2)

    assert not flow_end.is_over(job, pods[:1])
    assert not flow_end.is_over(job, [pods[0], ended_flow("c", index=1, code=11, message={"reason": "DiskFull"})])
    assert flow_end.is_over(job, pods)
    assert flow_end.read(job, pods) == flow_end.read(flow_job("Complete", completions=2), pods)


def test_a_flow_has_ended_when_its_container_has_said_so_whatever_the_phase_of_its_pod_is_yet() -> None:
    ended = ended_flow("a", message=said(10, 9))
    running = {**ended, "status": {**ended["status"], "phase": "Running"}}
    thrown_out = {**ended, "status": {**ended["status"], "phase": "Failed"}}

    assert flow_end.is_over(flow_job(), [running])
    assert flow_end.read(flow_job(), [running]) == flow_end.read(flow_job("Complete"), [ended])
    assert not flow_end.is_over(flow_job(), [thrown_out]), "its Job makes another one"
    assert not flow_end.is_over(flow_job(), [pod("a", containerStatuses=[{"name": "flow", "state": {"running": {}}}])])
    assert not flow_end.is_over(flow_job(), [pod("a")])


def test_a_failed_job_stays_failed_with_a_succeeded_pod_of_each_index() -> None:
    pods = [ended_flow("a", index=0, message=said(10, 9))]

    assert flow_end.is_over(flow_job("Failed"), pods)
    assert not flow_end.read(flow_job("Failed"), pods).is_success


@pytest.mark.parametrize("message", ["", "no json", "{}", '{"ledger": {"read": -1}}', '{"ledger": "x"}'], ids=range(5))
def test_counts_that_nobody_can_read_are_lost(message: str) -> None:
    ended = flow_end.read(flow_job("Complete"), [ended_flow("a", message=message)])

    assert ended == Ended(
        is_success=False,
        reason=Reason.COUNTS_LOST,
        message="the flow completed, but the final counts of the pod a are lost",
    )


def test_the_counts_of_a_pod_that_is_gone_are_lost() -> None:
    ended = flow_end.read(flow_job("Complete", completions=2), [ended_flow("a", index=0, message=said(1, 1))])

    assert (ended.reason, ended.message) == (
        Reason.COUNTS_LOST,
        "the flow completed, but the final counts of the pod of index 1 are lost",
    )


def test_counts_that_do_not_add_up_are_no_success() -> None:
    message = {"ledger": {"read": 3, "written": 2}}

    assert flow_end.read(flow_job("Complete"), [ended_flow("a", message=message)]).reason is Reason.ACCOUNTING_MISMATCH


def test_a_total_that_one_pod_does_not_know_is_unknown() -> None:
    pods = [ended_flow("a", index=0, message=said(1, 1)), ended_flow("b", index=1, message=said(1, 1, total=None))]

    assert flow_end.read(flow_job("Complete", completions=2), pods).total is None


@pytest.mark.parametrize("condition", ["Failed", "FailureTarget"])
def test_a_failed_job_says_what_its_last_pod_said(condition: str) -> None:
    message = {"reason": "TooManyDeadLetters", "message": "12 of 100", "ledger": {"read": 100, "deadLettered": 100}}
    pods = [
        ended_flow("z", code=11, message={"reason": "DiskFull"}, finishedAt="2026-01-01T00:00:00Z"),
        ended_flow("a", code=10, message=message, finishedAt="2026-01-01T00:01:00Z"),
    ]

    assert flow_end.is_over(flow_job(condition))
    assert flow_end.read(flow_job(condition), pods) == Ended(
        is_success=False,
        reason=Reason.TOO_MANY_DEAD_LETTERS,
        message="12 of 100 (attempt 2)",
        ledger=Ledger(read=100, dead_lettered=100),
    )


def test_a_flow_without_words_is_told_by_how_kubernetes_saw_it_end() -> None:
    job = flow_job("Failed")

    assert flow_end.read(job, [ended_flow("a", code=137, reason="OOMKilled")]) == Ended(
        is_success=False,
        reason=Reason.OUT_OF_MEMORY,
        message="container flow of pod a needs more than its memory limit of 1Gi",
    )
    assert flow_end.read(job, [ended_flow("a", code=139)]).message == "container flow of pod a ended with exit code 139"
    assert flow_end.read(job, []) == Ended(
        is_success=False, reason=Reason.FLOW_CRASHED, message="the flow's Job failed (Why: words)"
    )


def test_an_engine_without_memory_is_told_with_the_limit() -> None:
    message = {"reason": "OutOfMemory", "message": "the engine was killed: the container's memory limit is reached"}
    pods = [ended_flow(name, code=11, message=message) for name in ("a", "b")]

    assert flow_end.read(flow_job("Failed"), pods) == Ended(
        is_success=False,
        reason=Reason.OUT_OF_MEMORY,
        message="container flow of pod b needs more than its memory limit of 1Gi (attempt 2)",
    )


@pytest.mark.parametrize("conditions", [(), ("SuccessCriteriaMet",), ("Suspended",)])
def test_a_job_that_is_not_over_is_waited_for(conditions: tuple[str, ...]) -> None:
    assert not flow_end.is_over(flow_job(*conditions))


def test_a_pod_that_still_runs_has_said_nothing() -> None:
    assert flow_end.read(flow_job("Failed"), [pod("a")]).reason is Reason.FLOW_CRASHED
