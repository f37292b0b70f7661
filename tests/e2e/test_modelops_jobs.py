"""From a client to the modelops server to a job to its cancellation, and the callers for whom it does nothing."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from scheduler import names
from scheduler.artifacts.client import ModelopsClient
from scheduler.cli.configuration import Login
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR, RELEASE, Platform
from scheduler.model.job import JobState, Reason
from tests.e2e import callers as callers_
from tests.e2e import recipes
from tests.e2e.callers import STRANGER, VIEWER, Callers
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ONE_AT_A_TIME: Final = {**recipes.SCORE, "score": {**recipes.SCORE["score"], "batch": {"count": 1, "period": "50ms"}}}
RECIPE: Final = Recipe(name="for-somebody", steps=(ONE_AT_A_TIME,), artifact=recipes.SLEEP)
"""It would score for ten minutes."""
PATH: Final = f"/v1/pipelines/{RECIPE.name}/jobs"
KEY: Final = uuid.uuid4().hex
ORDER: Final = {"environment": ENVIRONMENT, "labels": {"asked": "modelops-server"}, "trigger": {"ticket": 7}}
ACCOUNT: Final = f"system:serviceaccount:{NAMESPACE}:"
SERVER: Final = f"{RELEASE}-modelops-server"
BY: Final = f"{ACCOUNT}{OPERATOR} via {ACCOUNT}{SERVER}"


@pytest.fixture(scope="module")
def callers(platform: Platform) -> Iterator[Callers]:
    with callers_.present(platform) as found:
        yield found


@pytest.fixture(scope="module")
def modelops(login: Login) -> Iterator[httpx.Client]:
    """The modelops server with the operator's token."""
    with callers_.http(login.server_url, login.token) as client:
        yield client


@pytest.fixture(scope="module")
def deployed_pipeline(jobs: Jobs, store: ModelopsClient) -> str:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(RECIPE.artifact)
        store.upload(Path(file.name), sha256=RECIPE.sha256)
    jobs.give(RECIPE, RECIPE.source_of(recipes.rows(600)))
    store.deploy(RECIPE.name, RECIPE.documents())
    return RECIPE.name


@pytest.fixture(scope="module")
def running(deployed_pipeline: str, modelops: httpx.Client, jobs: Jobs) -> Iterator[Mapping[str, Any]]:
    """A job that the modelops server has started and that scores."""
    answer = modelops.post(PATH, json=ORDER, headers={"Idempotency-Key": KEY})
    assert answer.status_code == 201, answer.text
    job = answer.json()["id"]
    assert answer.headers["Location"] == f"/v1/jobs/{job}"
    try:
        yield jobs.until(job, lambda found: found["state"] == "RUNNING")
    finally:
        if not JobState(jobs.client.job(job)["state"]).is_finished:
            jobs.client.cancel(job)
            jobs.finish(job)


def test_the_job_is_the_pipelines_newest_revision_and_says_for_whom(
    running: Mapping[str, Any], store: ModelopsClient
) -> None:
    assert (running["pipeline"], running["revision"]) == (RECIPE.name, store.revision(RECIPE.name).revision)
    assert (running["submittedBy"], running["labels"], running["trigger"]) == (BY, ORDER["labels"], ORDER["trigger"])


def test_the_same_key_is_the_same_job_by_either_way(
    running: Mapping[str, Any], modelops: httpx.Client, jobs: Jobs
) -> None:
    again = modelops.post(PATH, json=ORDER, headers={"Idempotency-Key": KEY})
    direct, is_new = jobs.client.start({**ORDER, "pipeline": RECIPE.name}, key=KEY)
    other = modelops.post(PATH, json={**ORDER, "labels": {}}, headers={"Idempotency-Key": KEY})
    assert (again.status_code, again.json()["id"], direct["id"], is_new) == (200, running["id"], running["id"], False)
    assert (other.status_code, other.json()["type"]) == (409, "urn:modelops:problem:conflict")


def test_it_is_listed_and_shown(running: Mapping[str, Any], modelops: httpx.Client) -> None:
    wanted = {"label": "asked=modelops-server", "state": "RUNNING", "environment": ENVIRONMENT, "limit": "1"}
    listed = modelops.get(PATH, params=wanted).json()
    assert [job["id"] for job in listed["jobs"]] == [running["id"]]
    assert modelops.get(PATH, params={"state": "FAILED"}).json() == {"jobs": [], "nextCursor": ""}
    assert modelops.get(f"/v1/jobs/{running['id']}").json()["submittedBy"] == BY


def test_refusals_are_those_of_the_scheduling_server(
    deployed_pipeline: str, modelops: httpx.Client, login: Login
) -> None:
    faulty = {**ORDER, "parameters": {"nothing": 1, "never": 2}, "labels": {"no label!": "x"}}
    with callers_.http(login.url, login.token) as client:
        direct = client.post("/v1/jobs", json={**faulty, "pipeline": deployed_pipeline})
        missing = client.post("/v1/jobs", json={**ORDER, "pipeline": "nothing"})
    through = modelops.post(PATH, json=faulty)
    assert (through.status_code, through.json()) == (direct.status_code, direct.json())
    assert through.status_code == 422
    through = modelops.post("/v1/pipelines/nothing/jobs", json=ORDER)
    assert (through.status_code, through.json()) == (missing.status_code, missing.json())


def test_others_start_show_and_cancel_nothing(running: Mapping[str, Any], login: Login, callers: Callers) -> None:
    job, started = f"/v1/jobs/{running['id']}", running["state"]
    found: dict[str, tuple[int, ...]] = {}
    for name, token in ((STRANGER, callers.stranger), (VIEWER, callers.viewer), ("nobody", "")):
        with callers_.http(login.server_url, token) as client:
            answers = (
                client.post(PATH, json=ORDER),
                client.get(PATH),
                client.get(job),
                client.post(f"{job}/cancel"),
            )
        found[name] = tuple(answer.status_code for answer in answers)
    assert found == {STRANGER: (403, 403, 404, 404), VIEWER: (403, 200, 200, 403), "nobody": (401, 401, 401, 401)}
    with callers_.http(login.server_url, login.token) as client:
        assert client.get(job).json()["state"] == started
        assert client.post(PATH, json={**ORDER, "environment": "default"}).status_code == 403


def test_nobody_but_the_modelops_server_acts_for_others(
    running: Mapping[str, Any], login: Login, callers: Callers
) -> None:
    behalf = {names.ON_BEHALF_OF: quote("alice@example.com", safe="")}
    order = {**ORDER, "pipeline": RECIPE.name}
    with callers_.http(login.url, login.token) as client:
        answers = (
            client.post("/v1/jobs", json=order, headers=behalf),
            client.post(f"/v1/jobs/{running['id']}/cancel", headers=behalf),
        )
    assert [answer.status_code for answer in answers] == [403, 403]
    assert (
        answers[0].json()["detail"] == f"{ACCOUNT}{OPERATOR} may not impersonate jobs.{names.DOMAIN} in '{ENVIRONMENT}'"
    )
    with callers_.http(login.url, callers.stranger) as client:
        assert client.post("/v1/jobs", json=order, headers=behalf).status_code == 403


def test_it_is_cancelled_and_leaves_nothing(running: Mapping[str, Any], modelops: httpx.Client, jobs: Jobs) -> None:
    answer = modelops.post(f"/v1/jobs/{running['id']}/cancel", json={"mode": "cancel"})
    assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLING")
    job = jobs.finish(running["id"])
    jobs.assert_ended(job, state=JobState.CANCELLED, reason=Reason.CANCELLED, task=job["task"], words=(BY,))
    assert modelops.post(f"/v1/jobs/{running['id']}/cancel").status_code in {200, 409}
