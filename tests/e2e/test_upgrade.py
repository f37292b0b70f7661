"""A platform of release 0.1.0 becomes today's while a job runs, then what it was again, and goes."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

import scheduler
from scheduler import names
from scheduler.artifacts.client import ModelopsClient
from scheduler.cli import discovery
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.errors import UnavailableError
from scheduler.ir import read
from scheduler.model.job import JobState
from tests.charts import render, test_released
from tests.e2e import beside, recipes, relabelled, submissions, support
from tests.e2e.beside import Beside
from tests.e2e.deployed import Deployed
from tests.e2e.recipes import Recipe
from tests.e2e.submissions import Submissions
from tests.flow import made_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.runs_last]

OLDER: Final = "older"
OPERATOR: Final = "operator"
TOOLS: Final = "container-tools"
SERVERS: Final = {"scheduling-server", "modelops-server"}
SEED: Final = 11
RATE: Final = 20
RECORDS: Final = 190 * RATE
"""Of the job that runs for more than three minutes."""
VALUED: Final = ({"name": "valued", "filter": "this.value != null"}, recipes.SCORE)
LONG: Final = Recipe(
    name="outlives", steps=VALUED, generated={"seed": SEED, "count": RECORDS, "rate": RATE}, is_checked=True
)
SMALL: Final = Recipe(name="meanwhile", steps=VALUED, generated={"seed": SEED, "count": 10}, is_checked=True)
ENVIRONMENT_KINDS: Final = "pipelines.tekton.dev,tasks.tekton.dev,serviceaccounts,roles,rolebindings,resourcequotas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """The platform beside the first one, and its operator's clients, which go by the addresses of its Services."""

    beside: Beside
    cluster: KubernetesCluster
    images: Mapping[str, str]
    """Of release 0.1.0."""
    newer: Mapping[str, str]
    """Those that an upgrade brings; container-tools is among both."""
    login: Login
    client: SchedulingClient
    store: ModelopsClient

    def order(self, recipe: Recipe) -> dict[str, object]:
        return {**support.order(recipe), "environment": self.beside.environment}

    def start(self, recipe: Recipe) -> str:
        """The job's id; a server that is not to be reached yet is asked again with the same key."""
        key, deadline = uuid.uuid4().hex, time.monotonic() + 30
        while True:
            try:
                job, _ = self.client.start(self.order(recipe), key=key)
                return str(job["id"])
            except UnavailableError:
                assert time.monotonic() < deadline
                time.sleep(1)

    def until(self, job_id: str, state: JobState, *, limit_seconds: float) -> JobJson:
        """The job in this state; AssertionError when it ends otherwise, or is late."""
        deadline, last = time.monotonic() + limit_seconds, "nobody answered"
        while time.monotonic() < deadline:
            with suppress(UnavailableError):  # between two servers
                job = self.client.job(job_id)
                last = support.shown(job)
                if job["state"] == state:
                    return job
                assert not JobState(job["state"]).is_finished, last
            time.sleep(0.5)
        raise AssertionError(f"not {state} within {limit_seconds:g} s: {last}")

    def succeeded(self, job_id: str, *, limit_seconds: float = 240) -> JobJson:
        job = self.until(job_id, JobState.SUCCEEDED, limit_seconds=limit_seconds)
        assert (job["reason"], job["cleanup"]) == ("Completed", "CLEAN"), support.shown(job)
        return job

    def task_images(self, job_id: str) -> Mapping[str, str]:
        """Pipeline task -> image that its step ran, as the job's pods say."""
        labels = {names.TEKTON_PIPELINE_RUN: job_id}
        return {
            pod["metadata"]["labels"][names.TEKTON_PIPELINE_TASK]: container["image"]
            for pod in self.cluster.list("Pod", self.beside.environment, labels=labels)
            for container in pod["spec"]["containers"]
            if container["name"].startswith("step-")
        }

    def charts(self) -> set[str]:
        """Versions of the charts of its two releases."""
        words = [("get", "metadata", name, "-o", "json") for name in (OLDER, names.applications_release(OLDER))]
        found = [self.beside.platform.run("helm", *one, "-n", OLDER) for one in words]
        return {json.loads(text)["version"] for text in found}

    def uids(self) -> dict[str, str]:
        """Of all objects that jobs of the environment stand on: one that was made anew has another."""
        found = self.beside.platform.objects(ENVIRONMENT_KINDS, "-n", self.beside.environment)
        return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in found}


@pytest.fixture(scope="module")
def older(deployed: Deployed, cluster: KubernetesCluster) -> Iterator[Older]:
    """Release 0.1.0 from its archive, on twins of today's images; the one that deploys has its charts."""
    platform = deployed.platform
    newer = {**deployed.images, TOOLS: beside.tools_of(deployed.values)}
    charts = relabelled.Folder(path="opt/modelops/charts/modelops", files=test_released.files())
    images = {
        name: relabelled.image(one, host=platform.registry, word=OLDER, folder=charts if name == TOOLS else None)
        for name, one in newer.items()
    }
    assert not {*images.values()} & {*newer.values()}
    made = Beside(platform=platform, name=OLDER)
    account = {"kind": "ServiceAccount", "name": OPERATOR, "namespace": OLDER}
    values = {**made.values(**_split(images)), "access": {"operators": [account]}}
    made.clear()
    try:
        made.helm("install", str(test_released.ARCHIVE), "--create-namespace", values=values)
        made.installed()
        platform.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": OPERATOR, "namespace": OLDER}}
        )
        who = discovery.Account(namespace=OLDER, name=OPERATOR)
        login = discovery.login(
            cluster, account=who, namespace=OLDER, seconds=3600, given=Login(environment=made.environment)
        )
        with (
            closing(SchedulingClient(login.url, token=lambda: login.token)) as client,
            closing(ModelopsClient(login.server_url, token=lambda: login.token)) as store,
        ):
            yield Older(
                beside=made, cluster=cluster, images=images, newer=newer, login=login, client=client, store=store
            )
    finally:
        made.clear()


def _split(images: Mapping[str, str]) -> dict[str, Any]:
    return {"tools": images[TOOLS], "images": {name: one for name, one in images.items() if name != TOOLS}}


def _servers(images: Mapping[str, str]) -> dict[str, str]:
    return {name: one for name, one in images.items() if name in SERVERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What was seen of one."""

    job: str
    """Began to run before it."""
    submissions: Submissions
    uids: tuple[dict[str, str], dict[str, str]]
    """Before and after."""
    images: Mapping[str, str]
    """Of the servers, afterwards."""
    charts: set[str]


@pytest.fixture(scope="module")
def upgrade(older: Older) -> Upgrade:
    assert (older.beside.images(), older.charts()) == (_servers(older.images), {"0.1.0"})
    support.upload(older.store, recipes.DOUBLE, sha256=LONG.sha256)
    job = older.start(LONG)
    older.until(job, JobState.RUNNING, limit_seconds=120)
    before = older.uids()
    given = _split(older.newer)
    values = {"global": {"build": {"tools": given["tools"]}, "images": given["images"]}}
    with submissions.going_on(older.login, _without_model(older), older.order(SMALL)) as submitted:
        older.beside.helm("upgrade", beside.CHART, "--reset-then-reuse-values", values=values)
        older.beside.installed()
        time.sleep(12)  # the servers before are still ending
    assert older.client.job(job)["state"] == JobState.RUNNING, "the upgrade took longer than the job"
    return Upgrade(
        job=job,
        submissions=submitted,
        uids=(before, older.uids()),
        images=older.beside.images(),
        charts=older.charts(),
    )


def _without_model(older: Older) -> dict[str, object]:
    """The small job of `helm test`."""
    text = (render.PLATFORM / "files" / "test" / "pipeline.yaml").read_bytes()
    return {
        "environment": older.beside.environment,
        "ir": [one.document for one in read.parse(text, file="pipeline.yaml")],
    }


def test_servers_charts_and_new_jobs_are_todays(older: Older, upgrade: Upgrade) -> None:
    assert (upgrade.images, upgrade.charts) == (_servers(older.newer), {scheduler.__version__})
    job = older.succeeded(older.start(SMALL))
    assert older.task_images(job["id"]) == dict.fromkeys(names.TASKS, older.newer["scheduling-server"])


def test_each_request_meanwhile_is_answered_and_each_accepted_job_succeeds(older: Older, upgrade: Upgrade) -> None:
    answers = upgrade.submissions.answers
    assert [answer for answer in answers if not answer.is_right] == []
    jobs = upgrade.submissions.jobs
    assert len(answers) > 30
    assert len(jobs) >= 4
    assert [key for key, ids in jobs.items() if len(ids) != 1] == [], "each key is one job"
    for (job,) in jobs.values():
        older.succeeded(job)


def test_the_job_ends_as_it_began_with_every_record(older: Older, upgrade: Upgrade) -> None:
    job = older.succeeded(upgrade.job)
    made = (made_up.record(recipes.ITEM, number, seed=SEED) for number in range(1, RECORDS + 1))
    without_value = sum(record.get("value") is None for record in made)
    assert support.ledger(job) == {"read": RECORDS, "written": RECORDS - without_value, "filtered": without_value}
    run = older.cluster.get("PipelineRun", job["id"], older.beside.environment)
    assert run["spec"]["pipelineRef"]["name"] == "scoring-job-v1"
    began_with = yaml.safe_load(test_released.files()["files/tekton/pipelines/scoring-job-v1.yaml"])
    ran = run["status"]["pipelineSpec"]
    assert [task["taskRef"]["name"] for task in (*ran["tasks"], *ran["finally"])] == [
        task["taskRef"]["name"] for task in (*began_with["spec"]["tasks"], *began_with["spec"]["finally"])
    ]
    assert older.task_images(job["id"]) == dict.fromkeys(names.TASKS, older.images["scheduling-server"])


def test_what_jobs_stand_on_was_never_made_anew(upgrade: Upgrade) -> None:
    before, after = upgrade.uids
    assert {name.partition("/")[0] for name in before} >= {"Pipeline", "Task", "ServiceAccount", "Role"}
    assert {name: after.get(name) for name in before} == before


@pytest.mark.usefixtures("upgrade")
def test_a_rollback_brings_the_images_before_back_and_the_models_stay(older: Older) -> None:
    older.beside.helm("rollback")
    older.beside.installed()

    assert (older.beside.images(), older.charts()) == (_servers(older.images), {"0.1.0"})
    job = older.succeeded(older.start(SMALL))
    assert older.store.has_artifact(SMALL.sha256)
    assert older.task_images(job["id"]) == dict.fromkeys(names.TASKS, older.images["scheduling-server"])


@pytest.mark.usefixtures("upgrade")
def test_uninstalled_it_leaves_nothing(older: Older) -> None:
    older.beside.helm("uninstall", "--wait", "--timeout", "5m")
    # what 0.1.0 leaves, whose rights the rollback has brought back
    lease = names.janitor_lease(f"{OLDER}.{OLDER}")
    older.beside.platform.kubectl("delete", "lease", lease, "-n", OLDER, "--ignore-not-found")
    older.beside.assert_nothing_left()
