"""Components of the cluster that start again while jobs are under way. Runs last."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest

from scheduler import devcluster, names
from scheduler.demo.installation import NAMESPACE, OPERATOR
from scheduler.devcluster import processes
from scheduler.devcluster.home import Home
from tests import real_cluster
from tests.e2e import callers, recipes
from tests.e2e.ends import table, verdict
from tests.e2e.ends.control_cases import sleeping, until_it_scores
from tests.e2e.ends.interference import TEN_SECONDS
from tests.e2e.support import Jobs

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.runs_last,
    pytest.mark.timeout(300),
    real_cluster.LOCAL_ONLY,
]

API_SERVER: Final = "kube-apiserver"
AWAY_SECONDS: Final = 6.0


@pytest.mark.end("tekton-controller-restarted")
def test_jobs_go_on_when_tektons_controller_is_started_again(jobs: Jobs) -> None:
    end = table.ENDS["tekton-controller-restarted"]
    scoring, later = sleeping("restarted"), sleeping("ordered-meanwhile")
    for recipe in (scoring, later):
        jobs.give(recipe, recipe.source_of(recipes.rows(TEN_SECONDS)))
    first = jobs.start(scoring)["id"]
    until_it_scores(jobs, first)

    controller = ("-n", "tekton-pipelines", "delete", "pod", "-l", "app=tekton-pipelines-controller")
    jobs.platform.kubectl(*controller, "--wait=false")
    second = jobs.start(later)["id"]

    verdict.assert_ended(jobs, jobs.finish(first), end, recipe=scoring)
    verdict.assert_ended(jobs, jobs.finish(second), end, recipe=later)


@pytest.mark.end("api-server-restarted", "asked-without-api-server")
def test_a_job_goes_on_when_the_api_server_is_killed(jobs: Jobs) -> None:
    recipe = sleeping("without-api-server")
    jobs.give(recipe, recipe.source_of(recipes.rows(TEN_SECONDS)))
    job_id = jobs.start(recipe)["id"]
    until_it_scores(jobs, job_id)

    told = _answers_without_api_server(jobs, job_id)

    assert {status for status, _ in told} == {200, 503}
    verdict.assert_refused(table.ENDS["asked-without-api-server"], *told[0])
    job = jobs.finish(job_id)
    verdict.assert_ended(jobs, job, table.ENDS["api-server-restarted"], recipe=recipe)


def _answers_without_api_server(jobs: Jobs, job_id: str) -> list[tuple[int, Mapping[str, Any]]]:
    """What the server answers to somebody it has not met yet, from the API server's end until the job is seen again."""
    home = Home.from_environ(os.environ)
    running = processes.find(API_SERVER, home)
    assert running is not None
    account = ("create", "token", OPERATOR, "-n", NAMESPACE, f"--audience={names.AUDIENCE}")
    token = jobs.platform.kubectl(*account).decode().strip()
    told: list[tuple[int, Mapping[str, Any]]] = []
    with callers.http(jobs.login.url, token) as client:
        processes.kill([running])
        try:
            away = time.monotonic() + AWAY_SECONDS
            while time.monotonic() < away:
                told.append(_asked(client, job_id))
                time.sleep(0.5)
        finally:
            with ThreadPoolExecutor(1) as threads:
                up = threads.submit(devcluster.up, lambda line: None)
                while not up.done():
                    told.append(_asked(client, job_id))
                    time.sleep(0.05)
                up.result()
        back = time.monotonic() + 30
        while told[-1][0] != 200 and time.monotonic() < back:
            told.append(_asked(client, job_id))
            time.sleep(0.05)
    assert told[-1][0] == 200, told[-1]
    return told


def _asked(client: httpx.Client, job_id: str) -> tuple[int, Mapping[str, Any]]:
    answer = client.get(f"/v1/jobs/{job_id}")
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code, answer.json()
