"""Jobs while they score: who may complete them, what their logs and events tell, and what their pods hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from scheduler import names
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR, Platform
from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.model.job import JobState, Reason
from tests.e2e import callers as callers_
from tests.e2e import recipes, support
from tests.e2e.callers import Callers
from tests.e2e.ends import table, verdict
from tests.e2e.ends.end import End
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SLOWLY: Final = {**recipes.SCORE, "score": {**recipes.SCORE["score"], "batch": {"count": 1, "period": "50ms"}}}
"""With the model that sleeps: a record a second."""
RECORDS: Final = 600


def slow(name: str) -> Recipe:
    """A job that would score for ten minutes."""
    return Recipe(name=name, steps=(SLOWLY,), artifact=recipes.SLEEP)


RUNNING: Final = slow("running")
COMPLETED: Final = slow("completed")
GIVEN_UP: Final = slow("given-up")
QUICK: Final = Recipe(name="quick")


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Ids of four jobs."""

    running: str
    """Scores as long as the tests of this file last."""
    completed: str
    """Scores until it is completed."""
    given_up: str
    """Likewise."""
    quick: str
    """Has come to its own end."""


@pytest.fixture(scope="module")
def callers(platform: Platform) -> Iterator[Callers]:
    with callers_.present(platform) as found:
        yield found


@pytest.fixture(scope="module")
def started(jobs: Jobs) -> Iterator[Started]:
    ids: dict[str, str] = {}
    try:
        for recipe in (RUNNING, COMPLETED, GIVEN_UP, QUICK):
            count = 3 if recipe is QUICK else RECORDS
            jobs.files.put(recipe.source, recipe.source_of(recipes.rows(count)))
            ids[recipe.name] = jobs.start(recipe)["id"]
        for recipe in (RUNNING, COMPLETED, GIVEN_UP):
            jobs.until(ids[recipe.name], lambda job: job["state"] == "RUNNING" and bool(support.ledger(job)))
        jobs.finish(ids["quick"])
        yield Started(**{name.replace("-", "_"): job for name, job in ids.items()})
    finally:
        for job in ids.values():
            _end(jobs.client, job)
        for job in ids.values():
            jobs.finish(job)


def _end(client: SchedulingClient, job: str) -> None:
    if not JobState(client.job(job)["state"]).is_finished:
        client.cancel(job)


@pytest.fixture(scope="module")
def followed(started: Started, client: SchedulingClient, jobs: Jobs) -> tuple[Mapping[str, Any], list[str]]:
    """The job that the operator completed, at its end, and all that a follower of its flow's log was told meanwhile."""
    with ThreadPoolExecutor(1) as threads:
        lines = threads.submit(list, client.logs(started.completed, wanted={"source": "flow"}, is_following=True))
        client.complete(started.completed, outcome="Succeeded", message="enough for today")
        job = jobs.finish(started.completed)
        return job, lines.result(timeout=30)


def _flow_pod(cluster: KubernetesCluster, job: str) -> Mapping[str, Any]:
    labels = {names.RELEASE: job, names.COMPONENT: "flow"}
    return cluster.list("Pod", ENVIRONMENT, labels=labels).items[0]


def _complete(login: Login, token: str, job: str, outcome: str = "Succeeded") -> httpx.Response:
    with callers_.http(login.url, token) as client:
        return client.put(f"/v1/jobs/{job}/completion", json={"outcome": outcome, "message": "so I say"})


@pytest.mark.end("completed-as-succeeded")
def test_an_operator_completes_a_job(followed: tuple[Mapping[str, Any], list[str]], jobs: Jobs, end: End) -> None:
    job, _ = followed
    verdict.assert_ended(jobs, job, end, recipe=COMPLETED, by=f"system:serviceaccount:{NAMESPACE}:{OPERATOR}")


@pytest.mark.end("completed-as-something-else")
def test_the_same_completion_again_changes_nothing_and_another_is_refused(
    followed: tuple[Mapping[str, Any], list[str]], client: SchedulingClient, login: Login, end: End
) -> None:
    job, _ = followed
    assert client.complete(job["id"], outcome="Succeeded") == client.job(job["id"])
    answer = _complete(login, login.token, job["id"], "Failed")
    verdict.assert_refused(end, answer.status_code, answer.json())


@pytest.mark.end("completed-as-failed")
def test_the_pod_of_its_own_flow_completes_a_job(
    started: Started, login: Login, callers: Callers, cluster: KubernetesCluster, jobs: Jobs
) -> None:
    token = callers.token_of_pod(_flow_pod(cluster, started.given_up))
    answer = _complete(login, token, started.given_up, "Failed")
    assert (answer.status_code, answer.json()["id"]) == (200, started.given_up)
    job, by = jobs.finish(started.given_up), f"system:serviceaccount:{ENVIRONMENT}:{names.SCORING_ACCOUNT}"
    verdict.assert_ended(jobs, job, table.ENDS["completed-as-failed"], recipe=GIVEN_UP, by=by)
    # its pod is gone, and its token with it: 401, or 404 while the server still holds the answer about the token
    assert _complete(login, token, started.given_up).status_code in {401, 404}


@pytest.mark.end("completed-by-a-viewer", "completed-by-a-stranger")
def test_nobody_else_completes_a_job(
    started: Started, login: Login, callers: Callers, cluster: KubernetesCluster
) -> None:
    """Who may not see a job is told that there is none."""
    service = next(
        pod
        for pod in cluster.list("Pod", ENVIRONMENT, labels={names.RELEASE: started.running})
        if pod["metadata"]["labels"][names.COMPONENT] != "flow"
    )
    wait = cluster.list(
        "Pod", ENVIRONMENT, labels={names.JOB_ID: started.running, names.TEKTON_PIPELINE_TASK: "wait"}
    ).items[0]
    tokens = {
        "a stranger": callers.stranger,
        "a viewer": callers.viewer,
        "the flow's account without a pod": callers.token(names.SCORING_ACCOUNT, ENVIRONMENT),
        "the scoring service of the job": callers.token_of_pod(service),
        "the task of the job": callers.token_of_pod(wait),
    }
    for who, token in tokens.items():
        answer = _complete(login, token, started.running)
        row = "completed-by-a-viewer" if who == "a viewer" else "completed-by-a-stranger"
        verdict.assert_refused(table.ENDS[row], answer.status_code, answer.json())
    assert names.COMPLETION not in cluster.get("PipelineRun", started.running, ENVIRONMENT)["metadata"]["annotations"]


def test_the_flow_of_another_job_completes_none(
    started: Started, login: Login, callers: Callers, cluster: KubernetesCluster
) -> None:
    token = callers.token_of_pod(_flow_pod(cluster, started.running))
    assert _complete(login, token, started.quick).status_code == 404
    assert _complete(login, token, started.running, "Perhaps").status_code == 422, "its own it may, with a good body"


def test_a_viewer_may_not_cancel(started: Started, login: Login, callers: Callers) -> None:
    with callers_.http(login.url, callers.viewer) as client:
        assert client.get(f"/v1/jobs/{started.running}").json()["state"] == "RUNNING"
        assert client.post(f"/v1/jobs/{started.running}/cancel").status_code == 403


def _log(client: SchedulingClient, job: str, source: str, **more: str | int) -> list[str]:
    return list(client.logs(job, wanted={"source": source, **more}))


def test_a_running_job_shows_the_logs_of_all_its_parts(started: Started, client: SchedulingClient) -> None:
    job = started.running
    assert any(f"{RECORDS} records in" in line for line in _log(client, job, "flow"))
    assert any("/v2/" in line or "serv" in line.lower() for line in _log(client, job, "services"))
    assert _log(client, job, "services", container="download")
    assert _log(client, job, "install")
    assert len(_log(client, job, "flow", tail=1)) == 1
    with pytest.raises(NotFoundError, match="has no pod of 'uninstall' now"):
        _log(client, job, "uninstall")
    with pytest.raises(InvalidInputError):
        _log(client, job, "flow", container="nothing")
    with pytest.raises(InvalidInputError):
        _log(client, job, "nothing")


def test_a_finished_job_keeps_the_logs_of_its_tasks(started: Started, client: SchedulingClient) -> None:
    for task in names.TASKS:
        assert _log(client, started.quick, task), task
    for gone in ("flow", "services"):
        with pytest.raises(NotFoundError, match=f"has no pod of '{gone}' now"):
            _log(client, started.quick, gone)


def test_following_a_log_ends_with_the_job(followed: tuple[Mapping[str, Any], list[str]]) -> None:
    _, lines = followed
    assert any(f"{RECORDS} records in" in line for line in lines), "from its beginning"
    assert any(Reason.COMPLETED_BY_REQUEST in line for line in lines), "to its end"


def test_a_viewer_reads_logs_and_a_stranger_does_not(started: Started, login: Login, callers: Callers) -> None:
    codes = []
    for token in (callers.viewer, callers.stranger):
        with callers_.http(login.url, token) as client:
            codes.append(client.get(f"/v1/jobs/{started.quick}/logs", params={"source": "wait"}).status_code)
    assert codes == [200, 404]


def test_events_tell_of_progress_and_go_on_where_they_ended(started: Started, client: SchedulingClient) -> None:
    stream = client.events(started.running)
    events = [next(stream) for _ in range(2)]
    read = [json.loads(event.data)["records"]["read"] for event in events]
    assert read[0] < read[1]
    later = next(client.events(started.running, last_id=events[1].id))
    assert later.id not in {event.id for event in events}


def test_events_of_a_finished_job_are_one_and_none(started: Started, client: SchedulingClient) -> None:
    (last,) = client.events(started.quick)
    assert json.loads(last.data) == client.job(started.quick)
    assert list(client.events(started.quick, last_id=last.id)) == []


def test_scoring_pods_hold_no_token(started: Started, cluster: KubernetesCluster, platform: Platform) -> None:
    pods = cluster.list("Pod", ENVIRONMENT, labels={names.RELEASE: started.running}).items
    assert {pod["metadata"]["labels"][names.COMPONENT] for pod in pods} == {"flow", "scoring-server-python"}
    for pod in pods:
        spec = pod["spec"]
        assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == (names.SCORING_ACCOUNT, False)
        look = (
            "find / -xdev -name 'token*' -path '*secrets*' 2>/dev/null; find /var/run/secrets /run/secrets 2>/dev/null"
        )
        seen = platform.kubectl("-n", ENVIRONMENT, "exec", pod["metadata"]["name"], "--", "sh", "-c", f"{look}; true")
        assert seen == b"", "what the running containers can see"


def test_only_the_download_had_a_token_and_it_was_for_artifacts(started: Started, cluster: KubernetesCluster) -> None:
    pods = cluster.list("Pod", ENVIRONMENT, labels={names.RELEASE: started.running}).items
    tokens = {
        (volume["name"], source["serviceAccountToken"]["audience"], source["serviceAccountToken"]["expirationSeconds"])
        for pod in pods
        for volume in pod["spec"]["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
    }
    assert tokens == {("artifacts-token", names.ARTIFACTS_AUDIENCE, 600)}
    mounts = {
        container["name"]
        for pod in pods
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"])
        if "artifacts-token" in {mount["name"] for mount in container["volumeMounts"]}
    }
    assert mounts == {"download"}
