"""What the server does by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from scheduler import names
from scheduler.api.background import Sweeper
from scheduler.cluster.port import Cluster
from scheduler.jobs import cancel, submit, sweep
from scheduler.jobs.sweep import Swept
from scheduler.model.job import JobState, Reason
from tests.unit import world
from tests.unit.faulty import FaultyCluster, Killed
from tests.unit.world import ENVIRONMENT, World


@pytest.fixture
def here() -> Iterator[World]:
    made = world.build()
    made.board.mirror.start()
    made.settle(lambda: made.board.mirror.is_healthy)
    yield made
    made.board.mirror.stop()


def after(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def swept(here: World, now: datetime) -> Swept:
    return sweep.runs(here.ports.settings.environments, board=here.board, cluster=here.cluster, now=now)


def cut_off(here: World, *, at: int) -> None:
    faulty = FaultyCluster(here.cluster, at=at, when="before")
    with suppress(Killed):
        submit.submit(world.order(), key="k", by="ada", ports=here.on(cast("Cluster", faulty)))


def test_a_half_made_submit_is_finished_when_its_server_had_time_enough(here: World) -> None:
    cut_off(here, at=4)
    job_id = here.runs()[0]["metadata"]["name"]
    here.settle(lambda: here.board.job(ENVIRONMENT, job_id))

    assert swept(here, after(5)) == Swept()
    assert swept(here, after(20)).finished == (job_id,)

    assert "status" not in here.runs()[0]["spec"]
    (given,) = here.cluster.list("ConfigMap", ENVIRONMENT, labels={names.JOB_ID: job_id})
    assert given["metadata"]["ownerReferences"]


def test_a_job_that_waits_too_long_is_ended(here: World) -> None:
    wanted = world.order(deadlines={"queue": 60})
    job_id = submit.submit(wanted, key="k", by="ada", ports=here.ports).job.id
    here.settle(lambda: (run := here.board.run(ENVIRONMENT, job_id)) and "status" not in run["spec"])

    assert swept(here, after(50)) == Swept()
    assert swept(here, after(70)).expired == (job_id,)

    assert here.runs()[0]["spec"]["status"] == "CancelledRunFinally"
    condition = {"type": "Succeeded", "status": "False", "reason": "Cancelled"}
    here.cluster.set_status("PipelineRun", job_id, ENVIRONMENT, {"conditions": [condition]})
    here.settle(lambda: (job := here.board.job(ENVIRONMENT, job_id)) and job.state.is_finished)
    job = here.board.job(ENVIRONMENT, job_id)
    assert job is not None
    assert (job.state, job.reason) == (JobState.TIMED_OUT, Reason.QUEUE_DEADLINE)


def test_a_job_that_has_started_does_not_wait(here: World) -> None:
    job_id = submit.submit(world.order(deadlines={"queue": 60}), key="k", by="ada", ports=here.ports).job.id
    labels = {names.JOB_ID: job_id, names.TEKTON_PIPELINE_TASK: "install"}
    status = {"conditions": [{"type": "Succeeded", "status": "Unknown", "reason": "Running"}]}
    metadata = {"name": f"{job_id}-install", "namespace": ENVIRONMENT, "labels": labels}
    here.cluster.put({"kind": "TaskRun", "metadata": metadata, "status": status})
    here.settle(lambda: (job := here.board.job(ENVIRONMENT, job_id)) and job.state == JobState.INSTALLING)

    assert swept(here, after(70)) == Swept()


def test_an_input_without_a_run_is_deleted_after_ten_minutes(here: World) -> None:
    cut_off(here, at=3)
    (given,) = here.cluster.list("ConfigMap", ENVIRONMENT)

    def inputs(now: datetime) -> Swept:
        return sweep.inputs(here.ports.settings.environments, cluster=here.cluster, now=now)

    assert inputs(after(590)) == Swept()
    assert inputs(after(610)).deleted == (given["metadata"]["name"],)
    assert here.cluster.list("ConfigMap", ENVIRONMENT).items == ()


def test_an_input_that_a_submit_takes_up_again_is_spared(here: World) -> None:
    cut_off(here, at=3)
    (given,) = here.cluster.list("ConfigMap", ENVIRONMENT)
    touch = {"metadata": {"annotations": {names.TOUCHED: here.ports.now()}}}
    here.cluster.patch("ConfigMap", given["metadata"]["name"], ENVIRONMENT, touch)
    old = {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z"}}
    here.cluster.patch("ConfigMap", given["metadata"]["name"], ENVIRONMENT, old)

    assert sweep.inputs([ENVIRONMENT], cluster=here.cluster, now=after(0)) == Swept()


def test_an_input_touched_between_look_and_delete_is_spared(here: World) -> None:
    cut_off(here, at=3)

    class Racing(FaultyCluster):
        """A submit takes the input up just before the delete."""

        def delete(self, kind: str, name: str, namespace: str, **given: Any) -> None:
            touch = {"metadata": {"annotations": {names.TOUCHED: "2026-01-01T00:00:00Z"}}}
            here.cluster.patch(kind, name, namespace, touch)
            here.cluster.delete(kind, name, namespace, **given)

    racing = cast("Cluster", Racing(here.cluster, at=99, when="before"))
    done = sweep.inputs([ENVIRONMENT], cluster=racing, now=after(700))

    assert done == Swept()
    assert len(here.cluster.list("ConfigMap", ENVIRONMENT)) == 1


def test_idle_sweeping_asks_the_api_server_nothing(here: World) -> None:
    for number in range(20):
        submit.submit(world.order(), key=str(number), by="ada", ports=here.ports)
    here.settle(lambda: len(here.board.all(ENVIRONMENT)) == 20)
    before = [call for call in here.cluster.calls if call[0] != "watch"]

    swept(here, after(0))

    assert [call for call in here.cluster.calls if call[0] != "watch"] == before


def test_two_sweepers_do_no_harm(here: World) -> None:
    cut_off(here, at=4)
    job_id = here.runs()[0]["metadata"]["name"]
    here.settle(lambda: here.board.job(ENVIRONMENT, job_id))

    moment = after(20)
    world.in_threads(2, lambda _: swept(here, moment))

    assert "status" not in here.runs()[0]["spec"]


def test_the_sweeper_sweeps_until_it_is_stopped(here: World) -> None:
    cut_off(here, at=3)
    (given,) = here.cluster.list("ConfigMap", ENVIRONMENT)
    old = {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z"}}
    here.cluster.patch("ConfigMap", given["metadata"]["name"], ENVIRONMENT, old)
    told: list[Swept] = []
    sweeper = Sweeper(here.ports, told=told.append, pause_seconds=0.01)

    sweeper.start()
    here.settle(lambda: not here.cluster.list("ConfigMap", ENVIRONMENT).items)
    sweeper.stop()

    assert [done.deleted for done in told if done.deleted] == [(given["metadata"]["name"],)]


def test_a_cancel_races_with_the_start(here: World) -> None:
    """Whoever comes first, the job ends cancelled."""
    cut_off(here, at=5)
    run = here.runs()[0]
    assert run["spec"]["status"] == "PipelineRunPending"
    name = run["metadata"]["name"]

    def act(number: int) -> None:
        if number % 2:
            submit.finish(run, cluster=here.cluster)
        else:
            cancel.cancel(name, ENVIRONMENT, by="ada", at="now", cluster=here.cluster)

    world.in_threads(8, act)

    assert here.runs()[0]["spec"]["status"] in {"Cancelled", "CancelledRunFinally"}
