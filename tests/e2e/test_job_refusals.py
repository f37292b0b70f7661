"""What the scheduling server refuses: with every problem at its place, and before anything is in the cluster."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest

from scheduler import names
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import Cluster
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR
from tests.e2e import recipes
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs, order

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

RECIPE: Final = Recipe(
    name="refused",
    steps=(recipes.PREPARE, recipes.SCORE),
    extra={"parameters": [{"name": "threshold", "type": "number", "default": 0.5}]},
)
Ir = list[dict[str, Any]]
PIPELINE, FLOW, MODEL, ITEM, SCORED, MODEL_IN, MODEL_OUT, SOURCE, SINK = range(9)
"""Where each document is in the recipe's IR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A change that makes a good order a bad one, and the one problem that is told."""

    change: Callable[[Ir], object] = lambda ir: None
    more: Mapping[str, Any] = field(default_factory=dict)
    document: str = ""
    pointer: str
    words: str
    candidates: tuple[str, ...] = ()


def _spec(ir: Ir, index: int) -> dict[str, Any]:
    spec: dict[str, Any] = ir[index]["spec"]
    return spec


def _step(ir: Ir, step: Mapping[str, Any]) -> None:
    _spec(ir, FLOW)["steps"][0] = dict(step)


def _mapping(text: str) -> Callable[[Ir], object]:
    return lambda ir: _step(ir, {"name": "prepare", "map": text})


REFUSALS: Final[Mapping[str, Refusal]] = {
    "unknown key": Refusal(
        change=lambda ir: _spec(ir, PIPELINE).update(snk={}),
        document="ScoringPipeline/refused",
        pointer="/spec/snk",
        words="unknown key 'snk'",
    ),
    "unknown channel": Refusal(
        change=lambda ir: _spec(ir, PIPELINE).update(source={"channel": "itms"}),
        document="ScoringPipeline/refused",
        pointer="/spec/source/channel",
        words="no data channel is named 'itms'",
        candidates=("items (source, file, schema item)",),
    ),
    "schema that does not fit": Refusal(
        change=lambda ir: _spec(ir, SOURCE).update(schema="model-output"),
        document="ScoringPipeline/refused",
        pointer="/spec/source/channel",
        words="'id' is missing",
    ),
    "unknown parameter": Refusal(
        more={"parameters": {"treshold": 0.7}},
        document="job",
        pointer="/parameters/treshold",
        words="has no parameter 'treshold'",
        candidates=("threshold",),
    ),
    "parameter of the wrong type": Refusal(
        more={"parameters": {"threshold": "high"}},
        document="job",
        pointer="/parameters/threshold",
        words="must be a number, not 'high'",
    ),
    "model type that is not built": Refusal(
        change=lambda ir: _spec(ir, MODEL).update(type="onnx"),
        document="Model/twice",
        pointer="/spec/type",
        words="model type 'onnx' is not built yet",
    ),
    "mode that is not built": Refusal(
        change=lambda ir: _spec(ir, PIPELINE).update(mode="streaming"),
        document="ScoringPipeline/refused",
        pointer="/spec/mode",
        words="mode 'streaming' is not built yet",
    ),
    "step that is not built": Refusal(
        change=lambda ir: _step(ir, {"name": "prepare", "route": []}),
        document="ScoringFlow/flow",
        pointer="/spec/steps/0/route",
        words="step 'route' is not built yet",
    ),
    "credential in the text": Refusal(
        change=lambda ir: _spec(ir, SOURCE)["config"].update(password="hunter2"),
        document="DataChannel/items",
        pointer="/spec/config/password",
        words="is a credential",
    ),
    "model without digest": Refusal(
        change=lambda ir: _spec(ir, MODEL).pop("sha256"),
        document="Model/twice",
        pointer="/spec",
        words="'sha256' is missing",
    ),
    "model that nobody uploaded": Refusal(
        change=lambda ir: _spec(ir, MODEL).update(sha256="0" * 64),
        document="Model/twice",
        pointer="/spec/sha256",
        words="the artifact store has no file with sha256 " + "0" * 64,
    ),
    "mapping that does not parse": Refusal(
        change=_mapping("root = this.("), document="ScoringFlow/flow", pointer="/spec/steps/0/map", words="expected"
    ),
    "mapping that reads the environment": Refusal(
        change=_mapping('root.home = env("HOME")'),
        document="ScoringFlow/flow",
        pointer="/spec/steps/0/map",
        words="env",
    ),
    "mapping that reads a file": Refusal(
        change=_mapping('root.host = file("/etc/hostname")'),
        document="ScoringFlow/flow",
        pointer="/spec/steps/0/map",
        words="file",
    ),
    "interpolation": Refusal(
        change=_mapping('root.home = "${HOME}"'),
        document="ScoringFlow/flow",
        pointer="/spec/steps/0/map",
        words="'${' is not allowed",
    ),
}


@pytest.fixture(scope="module")
def server(login: Login) -> Iterator[httpx.Client]:
    """The scheduling server without our own client between, as any other program meets it."""
    headers = {"Authorization": f"Bearer {login.token}"}
    with closing(httpx.Client(base_url=login.url, headers=headers, timeout=60, trust_env=False)) as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def _uploaded(jobs: Jobs) -> None:
    jobs.upload(RECIPE.artifact, sha256=RECIPE.sha256)


def _refused(server: httpx.Client, cluster: Cluster, body: Mapping[str, object], *, status: int) -> dict[str, Any]:
    """The problem document; nothing of the job is in the cluster."""
    key = uuid.uuid4().hex
    answer = server.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    environment = str(body["environment"])
    made = {names.JOB_ID: names.job_id(namespace=environment, key=key)}
    for kind in ("PipelineRun", "TaskRun", "ConfigMap", "Pod"):
        assert list(cluster.list(kind, environment, labels=made)) == []
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    return document


def test_the_unchanged_order_is_a_good_one(client: SchedulingClient) -> None:
    assert client.plan(order(RECIPE))["pipeline"] == "refused"


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_fault_is_told_where_it_is(refusal: Refusal, server: httpx.Client, cluster: KubernetesCluster) -> None:
    body = order(RECIPE, **refusal.more)
    refusal.change(body["ir"])  # type: ignore[arg-type]

    document = _refused(server, cluster, body, status=422)

    assert document["type"] == "urn:modelops:problem:invalid-input"
    (problem,) = document["problems"]
    found = (problem.get("document", ""), problem.get("pointer", ""))
    assert found == (refusal.document, refusal.pointer), problem
    assert refusal.words in problem["message"]
    assert set(refusal.candidates) <= set(problem.get("candidates", ())), problem


def test_every_fault_is_told_at_once(server: httpx.Client, cluster: KubernetesCluster) -> None:
    body = order(RECIPE)
    for refusal in (REFUSALS["unknown key"], REFUSALS["model type that is not built"]):
        refusal.change(body["ir"])  # type: ignore[arg-type]
    document = _refused(server, cluster, body, status=422)
    assert {problem["pointer"] for problem in document["problems"]} == {"/spec/snk", "/spec/type"}


def test_an_order_that_is_too_large_is_not_read(server: httpx.Client, cluster: KubernetesCluster) -> None:
    body = order(RECIPE, trigger={"filling": "x" * 6_000_000})
    document = _refused(server, cluster, body, status=413)
    assert document["type"] == "urn:modelops:problem:too-large"
    assert "bytes" in document["detail"]


def test_a_job_that_no_quota_could_hold_is_refused_with_the_numbers(
    server: httpx.Client, cluster: KubernetesCluster
) -> None:
    """One pod for the flow and one for each model."""
    recipe = Recipe(name="crowd", steps=(recipes.PREPARE,))
    body = order(recipe)
    ir: Ir = body["ir"]  # type: ignore[assignment]
    ir += [{**ir[MODEL], "metadata": {"name": f"twice-{number}"}} for number in range(1, 60)]
    steps = [{**recipes.SCORE, "name": f"score-{number}"} for number in range(60)]
    for number, step in enumerate(steps):
        step["score"] = {**step["score"], "model": f"twice-{number}" if number else "twice"}
    _spec(ir, FLOW)["steps"] = steps

    document = _refused(server, cluster, body, status=422)

    assert document["detail"] == "the environment has no room for this job"
    assert {problem["pointer"] for problem in document["problems"]} == {"/environment"}
    told = " ".join(problem["message"] for problem in document["problems"])
    hard = next(iter(cluster.list("ResourceQuota", ENVIRONMENT)))
    assert "the job needs pods 61" in told
    assert f"environment '{ENVIRONMENT}' allows" in told
    assert hard["metadata"]["name"] in told


def test_an_unknown_environment_is_refused(server: httpx.Client, cluster: KubernetesCluster) -> None:
    document = _refused(server, cluster, {**order(RECIPE), "environment": "nowhere"}, status=403)
    assert "nowhere" in document["detail"]


def test_nobody_is_let_in_without_a_token_for_this_platform(login: Login, cluster: KubernetesCluster) -> None:
    other = cluster.request_token(OPERATOR, NAMESPACE, audience="https://example.com", seconds=600).value
    for headers in ({}, {"Authorization": f"Bearer {other}"}):
        answer = httpx.post(f"{login.url}/v1/jobs", json=order(RECIPE), headers=headers, trust_env=False)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
