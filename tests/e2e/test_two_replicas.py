"""Two servers on one cluster: any of them answers, either may die, and quiet time costs the API server nothing."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml

from scheduler import names
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.mirror import Mirror
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE, Platform
from scheduler.errors import NotFoundError
from scheduler.jobs.board import Board
from scheduler.model.types import Manifest
from scheduler.tekton import slim
from tests.e2e import asked, idle, recipes
from tests.e2e import callers as callers_
from tests.e2e.asked import Question
from tests.e2e.deployed import Deployed
from tests.e2e.ends import verdict
from tests.e2e.ends.end import End
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs
from tests.e2e.wire import Wire

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.runs_last]

SECOND: Final = f"{ENVIRONMENT}-2"
SERVER: Final = f"{RELEASE}-scheduling-server"
LABELS: Final = {"app.kubernetes.io/name": "scheduling-server", "app.kubernetes.io/instance": RELEASE}
REPLICAS: Final = 2
SETTINGS: Final = (f"scheduling-server.replicas={REPLICAS}", f"global.environments={{{ENVIRONMENT},{SECOND}}}")
SLOWLY: Final = {**recipes.SCORE, "score": {**recipes.SCORE["score"], "batch": {"count": 1, "period": "50ms"}}}
RUNNING: Final = Recipe(name="two-running", steps=(SLOWLY,), artifact=recipes.SLEEP)
ELSEWHERE: Final = Recipe(name="two-elsewhere", artifact=recipes.SLOW_TO_LOAD)
RIGHT_AGAIN_SECONDS: Final = 10.0
IDLE_JOBS: Final = 20
IDLE_SECONDS: Final = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    name: str
    url: str
    client: SchedulingClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Two:
    """The platform with two servers and a second environment."""

    deployed: Deployed
    cluster: KubernetesCluster
    login: Login
    clients: dict[str, SchedulingClient] = field(default_factory=dict)
    """By address; they are closed together at the end."""

    def replicas(self) -> list[Replica]:
        pods = [pod for pod in self.cluster.list("Pod", NAMESPACE, labels=LABELS) if _is_ready(pod)]
        return [self._replica(pod) for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))]

    def _replica(self, pod: Manifest) -> Replica:
        url = f"http://{pod['status']['podIP']}:8080"
        if url not in self.clients:
            self.clients[url] = SchedulingClient(url, token=lambda: self.login.token)
        return Replica(name=pod["metadata"]["name"], url=url, client=self.clients[url])


def _is_ready(pod: Manifest) -> bool:
    conditions = {found["type"]: found["status"] for found in pod.get("status", {}).get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


@pytest.fixture(scope="module")
def two(deployed: Deployed, cluster: KubernetesCluster, login: Login) -> Iterator[Two]:
    with deployed.changed(*SETTINGS):
        found = Two(deployed=deployed, cluster=cluster, login=login)
        assert len(found.replicas()) == REPLICAS
        yield found
        for client in found.clients.values():
            client.close()
        # no upgrade takes an environment out while a job there is not finished
        deployed.platform.kubectl("delete", "pipelineruns.tekton.dev", "--all", "-n", SECOND)
    deployed.platform.kubectl("delete", "namespace", SECOND, "--ignore-not-found", "--wait=false")


def test_quiet_time_costs_no_list(two: Two, jobs: Jobs, platform: Platform) -> None:
    """The short form of the proof that waits for five minutes; first, because the task of a job that runs lists too."""
    with idle.waiting(jobs, IDLE_JOBS) as ids, asked.counting(platform, idle.questions()) as counting:
        idle.settle(jobs, ids)
        before = counting.now()
        time.sleep(IDLE_SECONDS)
        after = counting.now()
        # what comes once in ten minutes may come in this one, to both
        lists = {key: after[key] - before[key] for key in after}
        assert max(lists.values()) <= REPLICAS, lists
        assert sum(lists.values()) <= len(idle.KINDS), lists


@pytest.fixture(scope="module")
def accepted(two: Two, jobs: Jobs) -> Iterator[tuple[Replica, JobJson]]:
    """A job that scores for minutes, and the replica that took it."""
    jobs.give(RUNNING, RUNNING.source_of(recipes.rows(600)))
    jobs.upload(RUNNING.artifact, sha256=RUNNING.sha256)
    replica = two.replicas()[0]
    order = {"environment": ENVIRONMENT, "ir": RUNNING.documents()}
    job, _ = replica.client.start(order, key=uuid.uuid4().hex)
    yield replica, jobs.until(job["id"], lambda job: bool(job["state"] == "RUNNING"))
    jobs.client.cancel(job["id"], mode="force")


def _until(is_right: Callable[[], object], *, seconds: float) -> float:
    """The seconds that it took; AssertionError when it takes longer."""
    began = time.monotonic()
    while not is_right():
        assert time.monotonic() - began < seconds
        time.sleep(0.1)
    return time.monotonic() - began


def _lasting(job: JobJson) -> dict[str, Any]:
    """What of a running job does not change from one moment to the next."""
    moving = {"progress", "records", "resourceVersion", "message"}
    return {key: value for key, value in job.items() if key not in moving}


def test_any_replica_answers_any_question(two: Two, accepted: tuple[Replica, JobJson]) -> None:
    _, job = accepted
    for replica in two.replicas():
        assert _lasting(replica.client.job(job["id"])) == _lasting(job), replica.name
        listed = replica.client.jobs({"environment": ENVIRONMENT, "state": ["RUNNING"]}, limit=100)
        assert job["id"] in {item["id"] for item in listed}
        with closing(replica.client.logs(job["id"], wanted={"source": "flow"}, is_following=True)) as lines:
            assert next(lines)
        with closing(replica.client.events(job["id"])) as events:
            assert json.loads(next(events).data)["id"] == job["id"]


def test_the_death_of_the_one_that_accepted_a_job_changes_no_answer(
    two: Two, platform: Platform, accepted: tuple[Replica, JobJson], login: Login
) -> None:
    dead, job = accepted
    other = next(replica for replica in two.replicas() if replica.name != dead.name)
    with closing(dead.client.events(job["id"])) as events:
        last = next(events)

    platform.kubectl("-n", NAMESPACE, "delete", "pod", dead.name, "--grace-period=0", "--force")

    assert _lasting(other.client.job(job["id"])) == _lasting(job)
    with closing(other.client.events(job["id"], last_id=last.id)) as events:
        told = {event.id for _, event in zip(range(2), events, strict=False)}
    assert last.id not in told, "only what is new"
    with callers_.http(login.url, login.token) as http:
        for _ in range(5):
            assert _lasting(http.get(f"/v1/jobs/{job['id']}").raise_for_status().json()) == _lasting(job)
    _until(lambda: len(two.replicas()) == REPLICAS, seconds=60)
    for replica in two.replicas():
        assert _lasting(replica.client.job(job["id"])) == _lasting(job)


@contextmanager
def _watching(platform: Platform, wire: Wire, folder: Path) -> Iterator[Board]:
    """What a server knows whose connections go through the wire."""
    document = yaml.safe_load(platform.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{wire.port}"
    path = folder / "config"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document))
    cluster = KubernetesCluster.from_kubeconfig(path)
    with closing(cluster):
        mirror = Mirror(cluster, namespaces=[ENVIRONMENT], slims=slim.OF_KIND)
        mirror.start()
        try:
            _until(lambda: mirror.is_healthy, seconds=20)
            yield Board(mirror, cluster=cluster)
        finally:
            mirror.stop()


def _run(job_id: str) -> Manifest:
    labels = {names.JOB_ID: job_id}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": job_id, "namespace": ENVIRONMENT, "labels": labels},
        "spec": {"status": "PipelineRunPending", "pipelineRef": {"name": names.PIPELINE_NAME}},
    }


@pytest.mark.parametrize("fault", ["cut", "silence"])
def test_after_a_fault_of_its_connections_a_server_is_right_again_within_seconds(
    cluster: KubernetesCluster, platform: Platform, tmp_path: Path, fault: str
) -> None:
    address = urlsplit(yaml.safe_load(platform.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])
    job_id = names.job_id(namespace=ENVIRONMENT, key=f"{fault} {uuid.uuid4().hex}")
    with Wire(address.hostname or "", address.port or 443) as wire, _watching(platform, wire, tmp_path) as board:
        assert getattr(wire, fault)() >= 3, "a watch for each kind"
        cluster.create(_run(job_id))
        try:
            _until(lambda: board.job(ENVIRONMENT, job_id), seconds=RIGHT_AGAIN_SECONDS)
            getattr(wire, fault)()
        finally:
            cluster.delete("PipelineRun", job_id, ENVIRONMENT)
        _until(lambda: board.job(ENVIRONMENT, job_id) is None, seconds=RIGHT_AGAIN_SECONDS)
        assert [watch.relists for watch in board.mirror.watched()] == [1, 1, 1], "no list was needed"


def _requests(platform: Platform) -> Mapping[str, Question]:
    """Whatever the servers ask about the second environment."""
    verbs = ("get", "list", "watch", "patch", "delete", "create")
    return {
        "server": Question(account=SERVER, account_namespace=NAMESPACE, verbs=verbs, namespaces=(SECOND,)),
        "janitor": Question(account=names.RUNNER_ACCOUNT, account_namespace=SECOND, verbs=verbs, namespaces=(SECOND,)),
    }


@pytest.mark.end("namespace-deleted")
def test_a_namespace_that_is_deleted_under_its_jobs_harms_nobody_and_may_come_back(
    two: Two, jobs: Jobs, platform: Platform, accepted: tuple[Replica, JobJson], end: End
) -> None:
    _, elsewhere = accepted
    jobs.upload(ELSEWHERE.artifact, sha256=ELSEWHERE.sha256)
    order = {"environment": SECOND, "ir": ELSEWHERE.documents()}
    doomed = [jobs.client.start(order, key=uuid.uuid4().hex)[0]["id"] for _ in range(2)]
    restarts = _restarts(two)

    platform.kubectl("delete", "namespace", SECOND, "--timeout=90s")

    _until(lambda: all(_refused(replica) for replica in two.replicas()), seconds=40)
    for replica in two.replicas():
        assert _lasting(replica.client.job(elsewhere["id"])) == _lasting(elsewhere)
        for job_id in doomed:
            with pytest.raises(NotFoundError) as told:
                replica.client.job(job_id)
            verdict.assert_error(end, told.value, job=job_id)
    with asked.counting(platform, _requests(platform)) as counting:
        before = counting.now()
        time.sleep(10)
        after = counting.now()
    # three watches of two servers, tried again every five seconds
    assert after["server"] - before["server"] <= 30
    assert after["janitor"] - before["janitor"] <= 12

    two.deployed.install(*SETTINGS)
    _until(lambda: not any(_refused(replica) for replica in two.replicas()), seconds=30)
    back = jobs.client.start(order, key=uuid.uuid4().hex)[0]["id"]
    for replica in two.replicas():
        _until(lambda client=replica.client: back in _ids(client), seconds=10)  # type: ignore[misc]
    jobs.client.cancel(back)
    assert _restarts(two) == restarts


def _ids(client: SchedulingClient) -> set[str]:
    return {job["id"] for job in client.jobs({"environment": SECOND}, limit=100)}


def _refused(replica: Replica) -> bool:
    """Whether this server is ready, and knows that the second environment is gone."""
    with callers_.http(replica.url) as http:
        answer = http.get("/readyz")
    assert answer.status_code == 200, answer.text
    return any(SECOND in name for name in answer.json().get("refused", ()))


def _restarts(two: Two) -> dict[str, int]:
    return {
        pod["metadata"]["name"]: sum(status["restartCount"] for status in pod["status"]["containerStatuses"])
        for pod in two.cluster.list("Pod", NAMESPACE, labels=LABELS)
    }
