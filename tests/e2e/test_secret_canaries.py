"""One secret of each kind that the platform is given, known by heart, and looked for in everything that it leaves.

The kinds: the login of a registry (for pulling images; only kubelets would read it), the key of the object store, a
variable of a job's flow and scoring service, the token of a caller, and what an author wrote into an IR by mistake.
Each may stand in the Secret that it was put into and nowhere else. A channel cannot name a Secret: files and test data
need none, and a credential in one is that mistake, refused. The login that builds push with is looked for where one is
refused, in `test_installation_refusals`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from scheduler.cli.configuration import Login
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, Platform
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.home import Home
from scheduler.model.job import JobState, Reason
from tests import real_cluster
from tests.e2e import callers, canaries, recipes, support
from tests.e2e.canaries import Canary, Places
from tests.e2e.deployed import Deployed
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs
from tests.s3 import gateway
from tests.s3.gateway import Gateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), real_cluster.LOCAL_ONLY]

REGISTRY: Final = "canary-registry"
STORE: Final = "canary-store"
MODEL: Final = "canary-model"
VARIABLE: Final = "FEATURE_STORE_TOKEN"
RECORDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    registry: Canary
    store: Canary
    model: Canary
    token: Canary
    mistake: Canary

    def all(self) -> tuple[Canary, ...]:
        return (self.registry, self.store, self.model, self.token, self.mistake)

    def nowhere(self) -> Places:
        return {canary.name: set() for canary in self.all()}

    def where(self, place: str) -> Places:
        """Where each may stand; `place` takes the Secret's namespace and name."""
        return self.nowhere() | {
            self.registry.name: {place.format(space, REGISTRY) for space in (NAMESPACE, ENVIRONMENT)},
            self.store.name: {place.format(NAMESPACE, STORE)},
            self.model.name: {place.format(ENVIRONMENT, MODEL)},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A stream that has ended, and what was read of the cluster while its release was there and afterwards."""

    job: str
    artifact: str
    texts: Mapping[str, list[tuple[str, str]]]
    """Kind of place -> place and text."""


@pytest.fixture(scope="module")
def planted(login: Login) -> Canaries:
    return Canaries(
        registry=canaries.made("registry"),
        store=canaries.made("store"),
        model=canaries.made("model"),
        token=Canary(name="token", value=login.token.rsplit(".", 1)[1]),
        mistake=canaries.made("mistake"),
    )


@pytest.fixture(scope="module")
def server(planted: Canaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An S3 server on the address that pods reach this machine by."""
    folder = tmp_path_factory.mktemp("s3") / "buckets"
    host = str(Addresses.from_environ(os.environ).gateway)
    with gateway.running(folder, host=host, secret_key=planted.store.value) as running:
        yield running


@contextmanager
def _secrets(platform: Platform, planted: Canaries, server: Gateway) -> Iterator[None]:
    auth = base64.b64encode(f"puller:{planted.registry.value}".encode()).decode()
    config = {"auths": {"registry.example.com": {"username": "puller", "auth": auth}}}
    made = [
        _secret(NAMESPACE, STORE, **server.environment),
        _secret(ENVIRONMENT, MODEL, token=planted.model.value),
        *(
            {**_secret(space, REGISTRY, **{".dockerconfigjson": json.dumps(config)}), "type": _DOCKER}
            for space in (NAMESPACE, ENVIRONMENT)
        ),
    ]
    platform.apply(*made)
    try:
        yield
    finally:
        for manifest in made:
            metadata = manifest["metadata"]
            platform.kubectl("delete", "secret", metadata["name"], "-n", metadata["namespace"], "--ignore-not-found")


@pytest.fixture(scope="module")
def scored(jobs: Jobs, deployed: Deployed, planted: Canaries, server: Gateway) -> Iterator[Scored]:
    """A job that used every one of them: the platform keeps its models in S3 for as long as these tests last."""
    settings = (
        f"global.imagePullSecrets[0].name={REGISTRY}",
        f"modelops-server.storage.url=s3://{gateway.BUCKET}/platform",
        f"modelops-server.storage.endpoint={server.endpoint}",
        f"modelops-server.storage.region={gateway.REGION}",
        f"modelops-server.storage.secretRef.name={STORE}",
    )
    with _secrets(jobs.platform, planted, server), deployed.changed(*settings):
        recipe = _recipe(planted)
        jobs.give(recipe, recipe.source_of(recipes.rows(RECORDS)))
        job = jobs.start(recipe)["id"]
        jobs.until(job, lambda shown: support.ledger(shown).get("written") == RECORDS)
        texts = {kind: list(found) for kind, found in _places(jobs, job).items()}
        jobs.client.cancel(job, mode="drain")
        ended = jobs.finish(job)
        jobs.assert_ended(ended, state=JobState.SUCCEEDED, reason=Reason.DRAINED)
        for kind, found in _places(jobs, job).items():
            texts[kind] += found
        yield Scored(job=job, artifact=recipe.sha256, texts=texts)


def _recipe(planted: Canaries) -> Recipe:
    """Its model does not load unless the variable has come: by its digest, which betrays nothing."""
    expected = hashlib.sha256(planted.model.value.encode()).hexdigest()
    came = f'hashlib.sha256(os.environ["{VARIABLE}"].encode()).hexdigest()'
    check = f'import hashlib\nimport os\n\nassert {came} == "{expected}"\n'
    variable = {"name": VARIABLE, "secretRef": {"name": MODEL, "key": "token"}}
    return Recipe(
        name="canaries", is_followed=True, artifact=check.encode() + recipes.DOUBLE, extra={"env": [variable]}
    )


def _places(jobs: Jobs, job: str) -> dict[str, Iterator[tuple[str, str]]]:
    return {
        "objects": canaries.objects(jobs.platform),
        "etcd": canaries.etcd(Home.from_environ(os.environ)),
        "logs": canaries.logs(jobs.platform, NAMESPACE, ENVIRONMENT),
        "answers": _answers(jobs, job),
    }


def _answers(jobs: Jobs, job: str) -> Iterator[tuple[str, str]]:
    """What the scheduling server tells of the job, and what a test that fails would print of its pods."""
    for path in (f"/v1/jobs/{job}", f"/v1/jobs?environment={ENVIRONMENT}", f"/v1/jobs/{job}/logs"):
        yield path, jobs.ask("GET", path).text
    for title, lines in jobs.logs.of(job).items():
        yield title, "\n".join(lines)


def _secret(namespace: str, name: str, **values: str) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


_DOCKER: Final = "kubernetes.io/dockerconfigjson"


def test_the_model_came_from_s3_and_the_pods_had_their_secrets(scored: Scored, server: Gateway) -> None:
    """That the stream scored at all says that the variable was there; the rest is what the search stands on."""
    kept = server.folder / gateway.BUCKET / "platform" / "artifacts" / scored.artifact[:2] / scored.artifact
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == scored.artifact
    pods = [text for place, text in scored.texts["objects"] if place.startswith(f"Pod/{ENVIRONMENT}/{scored.job}")]
    assert pods
    assert all(REGISTRY in text for text in pods)
    assert sum(MODEL in text for text in pods) >= 2


def test_objects_and_releases_hold_references_and_nothing_more(scored: Scored, planted: Canaries) -> None:
    texts = scored.texts["objects"]
    records = {place: text for place, text in texts if place.startswith("helm release of")}
    mine = f"helm release of Secret/{ENVIRONMENT}/sh.helm.release.v1.{scored.job}.v1"
    assert MODEL in records[mine], "the record was unpacked, and names the Secret"
    assert any(STORE in text for place, text in records.items() if f"/{NAMESPACE}/" in place)
    kinds = {place.split("/")[0] for place, _ in texts}
    assert kinds >= {"PipelineRun", "TaskRun", "Pod", "ConfigMap", "Event", "Deployment", "Secret"}
    assert canaries.seen(planted.all(), texts) == planted.where("Secret/{}/{}")


def test_etcd_holds_each_in_its_secret_alone(scored: Scored, planted: Canaries) -> None:
    assert canaries.seen(planted.all(), scored.texts["etcd"]) == planted.where("/registry/secrets/{}/{}")


def test_no_log_and_no_audit_line_holds_one(scored: Scored, planted: Canaries) -> None:
    texts = scored.texts["logs"] + scored.texts["answers"]
    assert any(scored.job in text and '"audit"' in text for _, text in scored.texts["logs"]), "no audit line"
    assert canaries.seen(planted.all(), texts) == planted.nowhere()


def test_no_answer_and_no_plan_holds_one(scored: Scored, planted: Canaries, jobs: Jobs, login: Login) -> None:
    del scored  # the platform is as it made it
    texts = [(name, answer.text) for name, answer in _refused(planted, jobs, login).items()]
    order = support.order(_recipe(planted))
    plan = jobs.ask("POST", "/v1/plans", order)
    assert (plan.status_code, MODEL in plan.text, REGISTRY in plan.text) == (200, True, True)
    texts += [("plan", plan.text), *canaries.logs(jobs.platform, NAMESPACE)]
    assert canaries.seen(planted.all(), texts) == planted.nowhere()


def _refused(planted: Canaries, jobs: Jobs, login: Login) -> dict[str, httpx.Response]:
    """Answers to what is wrong about secrets, each with the status that it must have."""
    mistake = planted.mistake.value
    documents = _recipe(planted).documents()
    channel = next(document for document in documents if document["kind"] == "DataChannel")
    channel["spec"]["config"]["password"] = mistake
    named = _recipe(planted).documents()
    named[0]["spec"]["env"] = [{"name": VARIABLE, "value": mistake}]
    at = {"environment": ENVIRONMENT}
    found = {
        "a password in a channel": (jobs.ask("POST", "/v1/jobs", {**at, "ir": documents}), 422),
        "a value in a variable": (jobs.ask("POST", "/v1/jobs", {**at, "ir": named}), 422),
        "a plan of it": (jobs.ask("POST", "/v1/plans", {**at, "ir": named}), 422),
        "no such job": (jobs.ask("GET", f"/v1/jobs/j{'a' * 20}"), 404),
    }
    with callers.http(login.url, f"{login.token}x") as client:
        found["a token that was changed"] = (client.get("/v1/jobs"), 401)
    with callers.http(login.server_url, login.token) as client:
        found["an artifact with another digest"] = (client.put(f"/v1/artifacts/{'0' * 64}", content=b"x"), 422)
    assert {name: answer.status_code for name, (answer, _) in found.items()} == {
        name: status for name, (_, status) in found.items()
    }
    return {name: answer for name, (answer, _) in found.items()}


def test_what_offline_commands_print_holds_references_alone(planted: Canaries, jobs: Jobs, tmp_path: Path) -> None:
    """`modelops plan` with no cluster: it cannot know a value, and shows by which name one would come."""
    folder = tmp_path / "ir"
    (folder / "models").mkdir(parents=True)
    recipe = _recipe(planted)
    (folder / "models" / "twice.py").write_bytes(recipe.artifact)
    (folder / "pipeline.yaml").write_text(yaml.safe_dump_all(recipe.documents()))
    told = jobs.platform.run(sys.executable, "-m", "scheduler", "plan", str(folder), "-o", "yaml").decode()
    assert MODEL in told
    assert canaries.seen(planted.all(), [("plan", told)]) == planted.nowhere()
