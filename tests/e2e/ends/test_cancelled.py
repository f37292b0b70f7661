"""Jobs that are cancelled or completed at each moment of their life, once, twice, and by many at once."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final, cast

import pytest

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR
from scheduler.tekton import pipeline_run
from tests.e2e.ends import table, verdict
from tests.e2e.ends.cases import CASES
from tests.e2e.ends.control_cases import AT_ONCE, Answers, complete
from tests.e2e.ends.end import End
from tests.e2e.ends.running import Running
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

BY: Final = f"system:serviceaccount:{NAMESPACE}:{OPERATOR}"


def _answers(ended: Running, id_: str) -> Answers:
    return cast("Answers", ended.acted[id_])


def _assert_refused(answers: Answers, *ids: str) -> None:
    for id_ in ids:
        verdict.assert_refused(table.ENDS[id_], *answers[id_])


def _assert_cancelled(jobs: Jobs, ended: Running, end: End) -> Answers:
    verdict.assert_ended(jobs, ended[end.id], end, recipe=CASES[end.id].recipe, by=BY)
    answers = _answers(ended, end.id)
    status, first = answers["first"]
    assert (status, first["state"]) == (200, "CANCELLING")
    return answers


@pytest.mark.end("cancelled-while-installing")
def test_a_job_is_cancelled_while_helm_installs_it(jobs: Jobs, ended: Running, end: End) -> None:
    _assert_cancelled(jobs, ended, end)


@pytest.mark.end("cancelled-while-loading", "completed-before-it-scores")
def test_a_job_is_cancelled_while_its_model_loads(jobs: Jobs, ended: Running, end: End) -> None:
    answers = _assert_cancelled(jobs, ended, end)
    _assert_refused(answers, "completed-before-it-scores")


@pytest.mark.end("cancelled-while-running")
def test_a_job_is_cancelled_while_it_scores_and_once_more(jobs: Jobs, ended: Running, end: End) -> None:
    answers = _assert_cancelled(jobs, ended, end)
    assert answers["again"] == (200, ended[end.id])


@pytest.mark.end("cancelled-by-many")
def test_many_cancel_a_job_at_once_and_one_of_them_did(jobs: Jobs, ended: Running, end: End) -> None:
    job = ended[end.id]
    verdict.assert_ended(jobs, job, end, recipe=CASES[end.id].recipe, by=BY)
    answers = _answers(ended, end.id)
    assert len(answers) == AT_ONCE
    assert {(status, told["state"]) for status, told in answers.values()} == {(200, "CANCELLING")}
    notes = {told["timestamps"]["CANCELLING"] for _, told in answers.values()}
    assert notes == {job["timestamps"]["CANCELLING"]}, "everybody was told of the same cancellation"


@pytest.mark.end("cancelled-while-finishing", "completed-while-finishing", "cancelled-when-done", "completed-when-done")
def test_it_is_too_late_once_the_scoring_is_over(jobs: Jobs, ended: Running) -> None:
    job = ended["cancelled-while-finishing"]
    assert (job["state"], job["cleanup"]) == ("SUCCEEDED", "CLEAN"), job
    _assert_refused(
        _answers(ended, "cancelled-while-finishing"), "cancelled-while-finishing", "completed-while-finishing"
    )
    cancelled = jobs.ask("POST", f"/v1/jobs/{job['id']}/cancel")
    late: Answers = {
        "cancelled-when-done": (cancelled.status_code, cancelled.json()),
        "completed-when-done": complete(jobs, job["id"]),
    }
    _assert_refused(late, *late)
    assert jobs.client.job(job["id"]) == job


@pytest.mark.end("cancelled-while-pending")
def test_a_pending_job_ends_at_once(jobs: Jobs, end: End) -> None:
    """A run that its server could not let go any more, as one leaves it that is killed in between."""
    recipe = Recipe(name="pending")
    jobs.give(recipe, b"")
    model = jobs.start(recipe)
    jobs.client.cancel(model["id"])
    run = json.loads(jobs.platform.kubectl("-n", ENVIRONMENT, "get", "pipelinerun", model["id"], "-o", "json"))
    job_id = names.job_id(namespace=ENVIRONMENT, key=uuid.uuid4().hex)
    jobs.platform.kubectl("create", "-f", "-", stdin=json.dumps(_pending(run, job_id)).encode())
    before = jobs.until(job_id, lambda job: job["state"] == "QUEUED")
    assert before["cleanup"] == "NOT_NEEDED"

    cancelled = jobs.ask("POST", f"/v1/jobs/{job_id}/cancel")

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "CANCELLING")
    verdict.assert_ended(jobs, jobs.finish(job_id), end, by=BY)
    jobs.assert_nothing_left(jobs.finish(model["id"])["id"])


def _pending(run: dict[str, Any], job_id: str) -> dict[str, Any]:
    """A run of another name, like the one that is given before it was let go."""
    given = run["metadata"]
    annotations = {key: text for key, text in given["annotations"].items() if key != names.CANCELLED_BY}
    labels = {key: text for key, text in given["labels"].items() if not key.startswith("tekton.dev/")}
    metadata = {
        "name": job_id,
        "namespace": given["namespace"],
        "labels": {**labels, names.JOB_ID: job_id},
        "annotations": annotations,
    }
    spec = {**run["spec"], "status": pipeline_run.PENDING}
    return {"apiVersion": run["apiVersion"], "kind": "PipelineRun", "metadata": metadata, "spec": spec}
