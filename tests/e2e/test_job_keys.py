"""Idempotency keys: however often an order is sent, there is one job."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler import names
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT
from scheduler.errors import ConflictError
from scheduler.model.job import JobState, Reason
from tests.e2e import recipes, support
from tests.e2e.ends import verdict
from tests.e2e.ends.end import End
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.mark.end("used-key")
def test_the_same_key_is_the_same_job_before_and_after_its_end(
    jobs: Jobs, cluster: KubernetesCluster, end: End
) -> None:
    recipe, key = Recipe(name="keyed"), uuid.uuid4().hex
    jobs.give(recipe, recipe.source_of(recipes.rows(10)))
    jobs.upload(recipe.artifact, sha256=recipe.sha256)
    order = support.order(recipe)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: jobs.client.start(order, key=key), range(6)))

    job_id = names.job_id(namespace=ENVIRONMENT, key=key)
    assert {job["id"] for job, _ in answers} == {job_id}
    assert [is_new for _, is_new in answers].count(True) == 1, "one answer is 201, the others are 200"
    with pytest.raises(ConflictError) as refused:
        jobs.client.start({**order, "labels": {"other": "body"}}, key=key)
    verdict.assert_error(end, refused.value)

    job = jobs.finish(job_id)
    jobs.assert_ended(job, state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    again, is_new = jobs.client.start(order, key=key)
    assert (again["id"], again["state"], is_new) == (job_id, "SUCCEEDED", False)
    with pytest.raises(ConflictError, match="another body"):
        jobs.client.start({**order, "labels": {"other": "body"}}, key=key)

    runs = cluster.list("PipelineRun", ENVIRONMENT, labels={names.JOB_ID: job_id})
    inputs = cluster.list("ConfigMap", ENVIRONMENT, labels={names.JOB_ID: job_id})
    assert (len(runs), len(inputs)) == (1, 1)
    assert len(jobs.lines(recipe.sink)) == 10
