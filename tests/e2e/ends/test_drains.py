"""Streams, and jobs that are drained while they are queued, installed, at work and over."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import pytest

from scheduler.cli.configuration import Login
from scheduler.demo.installation import NAMESPACE, OPERATOR
from tests.e2e import callers
from tests.e2e.ends import streams, table, verdict
from tests.e2e.ends.cases import CASES
from tests.e2e.ends.end import End
from tests.e2e.ends.running import Running
from tests.e2e.ends.streams import LIVE, LIVE_RECORDS, Live, Two
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

BY = f"system:serviceaccount:{NAMESPACE}:{OPERATOR}"


@pytest.mark.end("stream-killed-and-drained")
def test_a_drained_stream_holds_each_record_once_though_its_flow_was_killed(
    jobs: Jobs, ended: Running, end: End
) -> None:
    job = ended[end.id]
    verdict.assert_ended(jobs, job, end, recipe=LIVE)
    wanted = [(number, number) for number in range(1, LIVE_RECORDS + 1)]
    assert [(row["id"], row["score"]) for row in jobs.lines(LIVE.sink)] == wanted
    manifest = json.loads(jobs.files.get(f"{LIVE.sink}.manifest.json"))
    size = len(jobs.files.get(LIVE.source))
    assert manifest["position"] == {"bytes": size - len("331,1"), "records": LIVE_RECORDS}
    assert manifest["digest"] == "sha256:" + hashlib.sha256(jobs.files.get(LIVE.sink)).hexdigest()
    assert job["deadlines"]["run"] == 0, "a stream has no run deadline"


@pytest.mark.end("stream-killed-and-drained")
def test_a_stream_shows_how_far_it_is(jobs: Jobs, ended: Running, end: End) -> None:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=LIVE)
    seen = ended.acted[end.id]
    assert isinstance(seen, Live)
    for shown in (seen.trickled, seen.restarted):
        assert (shown["state"], shown["progress"]["phase"], shown["progress"]["total"]) == ("RUNNING", "running", None)
        assert shown["records"]["read"] == shown["records"]["written"]
    assert seen.trickled["progress"]["recordsPerSecond"] > 0
    assert seen.drained["state"] == "DRAINING"
    assert len(seen.unpublished) == 2, "the unfinished files of one attempt"
    assert all(name.endswith(".part") for name in seen.unpublished)


@pytest.mark.end("drained-then-cancelled")
def test_a_drain_that_takes_too_long_can_be_cancelled(jobs: Jobs, ended: Running, end: End) -> None:
    recipe = CASES[end.id].recipe
    verdict.assert_ended(jobs, ended[end.id], end, recipe=recipe, by=BY)
    seen = ended.acted[end.id]
    assert isinstance(seen, Two)
    assert (seen.first["state"], seen.second["state"]) == ("DRAINING", "CANCELLING")
    times = {state: datetime.fromisoformat(at) for state, at in ended[end.id]["timestamps"].items()}
    assert (times["CANCELLED"] - times["CANCELLING"]).total_seconds() < 60


@pytest.mark.end("stream-source-rotated", "drain-of-a-finished-job")
def test_a_stream_whose_source_is_rotated_fails_and_cannot_be_drained_any_more(
    jobs: Jobs, ended: Running, end: End, login: Login
) -> None:
    recipe, job = CASES[end.id].recipe, ended[end.id]
    verdict.assert_ended(jobs, job, end, recipe=recipe, source=recipe.source)
    with callers.http(login.url, login.token) as client:
        answer = client.post(f"/v1/jobs/{job['id']}/cancel", json={"mode": "drain"})
    verdict.assert_refused(table.ENDS["drain-of-a-finished-job"], answer.status_code, answer.json())
    assert jobs.client.job(job["id"]) == job


@pytest.mark.end("batch-drained")
def test_a_batch_that_is_drained_publishes_nothing(jobs: Jobs, ended: Running, end: End) -> None:
    job = ended[end.id]
    verdict.assert_ended(jobs, job, end, recipe=CASES[end.id].recipe, by=BY)
    seen = ended.acted[end.id]
    assert isinstance(seen, Two)
    assert seen.first["state"] == "DRAINING"
    assert seen.second["state"] in {"DRAINING", "FINISHING"}
    assert streams.drain(jobs, job["id"]) == job, "a third one, when it is over, changes nothing"


MOMENTS = ("drained-while-queued", "drained-while-installing")


@pytest.mark.parametrize("moment", [pytest.param(id_, id=id_, marks=pytest.mark.end(id_)) for id_ in MOMENTS])
def test_a_job_that_does_not_score_yet_is_cancelled_by_a_drain(
    jobs: Jobs, ended: Running, end: End, moment: str
) -> None:
    verdict.assert_ended(jobs, ended[moment], end, recipe=CASES[moment].recipe, by=BY)
    assert ended.acted[moment]["state"] in {"CANCELLING", "CANCELLED"}  # type: ignore[index]
