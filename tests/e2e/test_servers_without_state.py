"""The scheduling server knows only what the cluster holds: it may go at any moment. And what it tells of many jobs."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import jsonschema
import pytest

from scheduler.cli import watch
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE, Platform
from scheduler.errors import InvalidInputError
from scheduler.model.job import JobState, Reason
from tests.e2e import callers as callers_
from tests.e2e import recipes, support
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DEPLOYMENT: Final = f"{RELEASE}-scheduling-server"
LABELS: Final = {"app.kubernetes.io/name": "scheduling-server", "app.kubernetes.io/instance": RELEASE}
SLOWLY: Final = {**recipes.SCORE, "score": {**recipes.SCORE["score"], "batch": {"count": 1, "period": "50ms"}}}
OUTLIVING: Final = Recipe(name="outliving", steps=(SLOWLY,), artifact=recipes.SLEEP)
RECORDS: Final = 16
_STEADY_SECONDS: Final = 3.0
"""More than kube-proxy takes between two looks at what has changed."""
SEVERAL: Final = (Recipe(name="several-a"), Recipe(name="several-b"), Recipe(name="several-c"))


def _replace_pod(platform: Platform, cluster: KubernetesCluster, login: Login) -> None:
    """Delete the server's pod without a warning; another one serves afterwards."""
    before = {pod["metadata"]["uid"] for pod in cluster.list("Pod", NAMESPACE, labels=LABELS)}
    selection = ",".join(f"{key}={value}" for key, value in LABELS.items())
    platform.kubectl("-n", NAMESPACE, "delete", "pod", "-l", selection, "--grace-period=0", "--force")
    platform.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{DEPLOYMENT}", "--timeout=90s")
    assert not before & {pod["metadata"]["uid"] for pod in cluster.list("Pod", NAMESPACE, labels=LABELS)}
    _settle(cluster, login)


def _settle(cluster: KubernetesCluster, login: Login) -> None:
    """Until the Service has led to the living pods for some seconds: nodes learn later than others who they are."""
    deadline = time.monotonic() + 60
    since = time.monotonic()
    while time.monotonic() - since < _STEADY_SECONDS:
        assert time.monotonic() < deadline
        if not (_is_settled(cluster) and _answers(login)):
            since = time.monotonic()
        time.sleep(0.1)


def _is_settled(cluster: KubernetesCluster) -> bool:
    """Whether the Service leads to the pods that are there and to no other.

    A pod that was deleted by force may stay its endpoint for some seconds: the controller looks again later and later
    while it has not seen its own last change.
    """
    found = cluster.list("Pod", NAMESPACE, labels=LABELS)
    pods = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    slices = cluster.list("EndpointSlice", NAMESPACE, labels={"kubernetes.io/service-name": DEPLOYMENT})
    ends = [end for one in slices for end in one.get("endpoints") or ()]
    led = {address for end in ends if not end["conditions"].get("terminating") for address in end["addresses"]}
    return bool(pods) and led == {pod["status"].get("podIP") for pod in pods}


def _answers(login: Login) -> bool:
    try:
        return _asked(login) == 200
    except httpx.TransportError:
        return False


def _asked(login: Login) -> int:
    """The status of an answer over a new connection: one that is kept would be led nowhere else."""
    with callers_.http(login.url, login.token) as http:
        return http.get("/v1/jobs", params={"limit": 1}).status_code


def test_a_job_outlives_the_server_and_is_shown_the_same_by_the_next(
    jobs: Jobs, platform: Platform, cluster: KubernetesCluster
) -> None:
    client = jobs.client
    jobs.files.put(OUTLIVING.source, OUTLIVING.source_of(recipes.rows(RECORDS)))
    started = jobs.start(OUTLIVING)
    running = jobs.until(started["id"], lambda job: job["state"] == "RUNNING" and bool(support.ledger(job)))
    _replace_pod(platform, cluster, jobs.login)
    after = client.job(started["id"])
    assert {key: after[key] for key in _ASKED} == {key: running[key] for key in _ASKED}
    ended = list(watch.updates(started["id"], client))[-1]
    jobs.assert_ended(ended, state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(ended) == {"read": RECORDS, "written": RECORDS}
    assert len(jobs.lines(OUTLIVING.sink)) == RECORDS
    listed = client.jobs({"environment": ENVIRONMENT}, limit=500)
    _replace_pod(platform, cluster, jobs.login)
    assert client.job(started["id"]) == ended
    ids = {job["id"] for job in listed if JobState(job["state"]).is_finished}
    now = {job["id"]: job for job in client.jobs({"environment": ENVIRONMENT}, limit=500)}
    assert {job: now[job] for job in ids} == {job["id"]: job for job in listed if job["id"] in ids}


def test_a_rollout_costs_no_request(login: Login, platform: Platform, cluster: KubernetesCluster) -> None:
    _settle(cluster, login)
    found: list[int | str] = []
    over = threading.Event()
    began = time.monotonic()

    def ask() -> None:
        while not over.is_set():
            try:
                found.append(_asked(login))
            except httpx.TransportError as error:
                found.append(f"{error} after {time.monotonic() - began:.1f} s")

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask)
        platform.kubectl("-n", NAMESPACE, "rollout", "restart", f"deployment/{DEPLOYMENT}")
        try:
            platform.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{DEPLOYMENT}", "--timeout=90s")
            time.sleep(12)  # the old pod is still ending
        finally:
            over.set()
        asked.result(timeout=60)
    assert len(found) > 20
    assert set(found) == {200}


_ASKED: Final = ("id", "pipeline", "parameters", "labels", "deadlines", "submittedBy", "submittedAt", "digests")


@pytest.fixture(scope="module")
def several(jobs: Jobs) -> tuple[str, list[JobJson]]:
    """A word that labels three jobs, and those jobs at their ends, the newest first; one of them failed."""
    word = f"several-{uuid.uuid4().hex[:8]}"
    for recipe in SEVERAL[:2]:
        jobs.files.put(recipe.source, recipe.source_of(recipes.rows(3)))
    jobs.files.remove(SEVERAL[2].source)
    ids = []
    for recipe in SEVERAL:
        ids.append(jobs.start(recipe, labels={"suite": word, "part": recipe.name})["id"])
        time.sleep(1.1)  # Kubernetes counts whole seconds
    return word, [jobs.finish(job) for job in reversed(ids)]


def _found(client: SchedulingClient, word: str, **query: Any) -> list[str]:
    return [job["id"] for job in client.jobs({"label": [f"suite={word}"], **query}, limit=100)]


def test_lists_are_filtered_and_newest_first(several: tuple[str, list[JobJson]], client: SchedulingClient) -> None:
    word, jobs = several
    newest, middle, oldest = (job["id"] for job in jobs)
    assert list(client.jobs({"label": [f"suite={word}"]}, limit=100)) == jobs
    assert _found(client, word, state=["FAILED"]) == [newest]
    assert _found(client, word, state=["SUCCEEDED", "CANCELLED"]) == [middle, oldest]
    assert _found(client, word, pipeline="several-b") == [middle]
    assert _found(client, word, label=[f"suite={word}", "part=several-a"]) == [oldest]
    assert _found(client, word, environment=ENVIRONMENT) == [newest, middle, oldest]
    at = jobs[1]["submittedAt"]
    assert _found(client, word, since=at) == [newest, middle]
    assert _found(client, word, until=at) == [oldest]
    with pytest.raises(InvalidInputError):
        client.jobs({"state": ["DONE"]}, limit=1)


def test_pages_join_into_the_list(several: tuple[str, list[JobJson]], login: Login) -> None:
    word, jobs = several
    found, cursor = [], ""
    with callers_.http(login.url, login.token) as http:
        for _ in jobs:
            page = http.get("/v1/jobs", params={"label": f"suite={word}", "limit": 1, "cursor": cursor}).json()
            found += page["jobs"]
            cursor = page["nextCursor"]
        assert http.get("/v1/jobs", params={"cursor": "nonsense"}).status_code == 422
    assert (found, cursor) == (jobs, "")


def test_events_lead_a_job_from_its_start_to_its_end(jobs: Jobs) -> None:
    recipe = SEVERAL[0]
    jobs.files.put(recipe.source, recipe.source_of(recipes.rows(3)))
    job = jobs.start(recipe)["id"]
    events = list(jobs.client.events(job))
    told = [json.loads(event.data) for event in events]
    assert len({event.id for event in events}) == len(events), "each of them is news"
    states = list(dict.fromkeys(one["state"] for one in told))
    assert states[-1] == "SUCCEEDED"
    assert states == [state.value for state in JobState if state.value in states], "in the order of a job's life"
    assert told[-1] == jobs.client.job(job)
    middle = len(events) // 2
    later = [event.id for event in jobs.client.events(job, last_id=events[middle].id)]
    assert later == [events[-1].id], "of a job that is over only its end is told"


def test_metrics_count_jobs_and_requests_and_hold_no_names(
    several: tuple[str, list[JobJson]], client: SchedulingClient, platform: Platform
) -> None:
    counted = Counter(job["state"] for job in client.jobs({"environment": ENVIRONMENT}, limit=1000))
    text = platform.kubectl(
        "-n", NAMESPACE, "exec", f"deployment/{DEPLOYMENT}", "--", "python3", "-c", _SCRAPE
    ).decode()
    shown = dict(re.findall(rf'^modelops_jobs{{environment="{ENVIRONMENT}",state="(\w+)"}} (\S+)$', text, re.MULTILINE))
    assert {state: float(shown[state]) for state in ("SUCCEEDED", "FAILED")} == {
        state: float(counted[state]) for state in ("SUCCEEDED", "FAILED")
    }
    assert re.search(r'modelops_http_request_seconds_count{method="GET",route="/v1/jobs",status="200"} [1-9]', text)
    assert "modelops_watch_age_seconds" in text
    assert not [job["id"] for job in several[1] if job["id"] in text]


_SCRAPE: Final = """\
from urllib.request import urlopen
print(urlopen("http://127.0.0.1:9090/metrics", timeout=5).read().decode())
"""


@pytest.mark.parametrize("server", ["url", "server_url"])
def test_the_openapi_document_is_valid(login: Login, server: str) -> None:
    with callers_.http(getattr(login, server), login.token) as http:
        document = http.get("/openapi.json").json()
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert name
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert max(Counter(one["operationId"] for one in operations).values()) == 1
    assert all(one["responses"] for one in operations)
    for reference in _references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    for path, methods in document["paths"].items():
        for one in methods.values():
            declared = {item["name"] for item in one.get("parameters", ()) if item["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), path


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (item for key, item in value.items() if key == "$ref" and isinstance(item, str))
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
