"""What the scheduling server refuses: with every problem at its place, and before anything is in the cluster."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from scheduler import names
from scheduler.cli import configuration
from scheduler.cli.configuration import Login
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import Cluster
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR, Platform
from scheduler.errors import SchedulerError
from tests.e2e import callers, recipes
from tests.e2e.ends import table, verdict
from tests.e2e.ends.end import End
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
class Fault:
    """A change that makes a good order a bad one."""

    change: Callable[[Ir], object] = lambda ir: None
    more: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    """What says the same on the command line; for faults that no IR holds."""
    is_local: bool = True
    """Whether `modelops` meets it as well: not where it fills in what is missing."""


def _spec(ir: Ir, index: int) -> dict[str, Any]:
    spec: dict[str, Any] = ir[index]["spec"]
    return spec


def _step(ir: Ir, step: Mapping[str, Any]) -> None:
    _spec(ir, FLOW)["steps"][0] = dict(step)


def _mapping(text: str) -> Callable[[Ir], object]:
    return lambda ir: _step(ir, {"name": "prepare", "map": text})


FAULTS: Final[Mapping[str, Fault]] = {
    "unknown-key": Fault(change=lambda ir: _spec(ir, PIPELINE).update(snk={})),
    "unknown-channel": Fault(change=lambda ir: _spec(ir, PIPELINE).update(source={"channel": "itms"})),
    "schema-does-not-fit": Fault(change=lambda ir: _spec(ir, SOURCE).update(schema="model-output")),
    "unknown-parameter": Fault(more={"parameters": {"treshold": 0.7}}, words=("--set", "treshold=0.7")),
    "parameter-of-the-wrong-type": Fault(more={"parameters": {"threshold": "high"}}, words=("--set", "threshold=high")),
    "model-type-not-built": Fault(change=lambda ir: _spec(ir, MODEL).update(type="onnx")),
    "mode-not-built": Fault(change=lambda ir: _spec(ir, PIPELINE).update(mode="request-response")),
    "step-not-built": Fault(change=lambda ir: _step(ir, {"name": "prepare", "route": []})),
    "credential-in-the-text": Fault(change=lambda ir: _spec(ir, SOURCE)["config"].update(password="hunter2")),
    "model-without-digest": Fault(change=lambda ir: _spec(ir, MODEL).pop("sha256"), is_local=False),
    "model-not-uploaded": Fault(change=lambda ir: _spec(ir, MODEL).update(sha256="0" * 64), is_local=False),
    "mapping-does-not-parse": Fault(change=_mapping("root = this.(")),
    "mapping-reads-the-environment": Fault(change=_mapping('root.home = env("HOME")')),
    "mapping-reads-a-file": Fault(change=_mapping('root.host = file("/etc/hostname")')),
    "interpolation": Fault(change=_mapping('root.home = "${HOME}"')),
}


@pytest.fixture(scope="module")
def server(login: Login) -> Iterator[httpx.Client]:
    """The scheduling server without our own client between, as any other program meets it."""
    headers = {"Authorization": f"Bearer {login.token}"}
    with closing(httpx.Client(base_url=login.url, headers=headers, timeout=60, trust_env=False)) as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def _good_order(jobs: Jobs) -> None:
    """The order that the faults are put into has none itself."""
    jobs.upload(RECIPE.artifact, sha256=RECIPE.sha256)
    assert jobs.client.plan(order(RECIPE))["pipeline"] == RECIPE.name


@pytest.fixture
def as_operator(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """`modelops` in this process works as the operator."""
    monkeypatch.setenv(configuration.URL, login.url)
    monkeypatch.setenv(configuration.SERVER_URL, login.server_url)
    monkeypatch.setenv(configuration.TOKEN, login.token)
    monkeypatch.setenv(configuration.ENVIRONMENT, ENVIRONMENT)


def _refused(server: httpx.Client, cluster: Cluster, body: Mapping[str, object], end: End) -> dict[str, Any]:
    """The problem document; nothing of the job is in the cluster."""
    key = uuid.uuid4().hex
    answer = server.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})
    verdict.assert_answered(end, answer)
    environment = str(body["environment"])
    made = {names.JOB_ID: names.job_id(namespace=environment, key=key)}
    for kind in ("PipelineRun", "TaskRun", "ConfigMap", "Pod"):
        assert list(cluster.list(kind, environment, labels=made)) == []
    document: dict[str, Any] = answer.json()
    return document


def _of_each(faults: Mapping[str, Fault]) -> pytest.MarkDecorator:
    cases = [pytest.param(fault, id=id_, marks=pytest.mark.end(id_)) for id_, fault in faults.items()]
    return pytest.mark.parametrize("fault", cases)


@_of_each(FAULTS)
def test_a_fault_is_told_where_it_is(fault: Fault, end: End, server: httpx.Client, cluster: KubernetesCluster) -> None:
    body = order(RECIPE, **fault.more)
    fault.change(body["ir"])  # type: ignore[arg-type]
    document = _refused(server, cluster, body, end)
    assert document["type"] == "urn:modelops:problem:invalid-input"
    assert len(document["problems"]) == 1


@_of_each({id_: fault for id_, fault in FAULTS.items() if fault.is_local})
def test_the_command_line_tells_the_same(fault: Fault, end: End, as_operator: None, tmp_path: Path) -> None:
    documents = RECIPE.documents()
    fault.change(documents)
    (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump_all(documents))
    model = tmp_path / documents[MODEL]["spec"]["artifact"]
    model.parent.mkdir()
    model.write_bytes(RECIPE.artifact)
    verdict.assert_command_refused(end, ["job", "start", "--ir", str(tmp_path), *fault.words])


@pytest.mark.end("unknown-key", "model-type-not-built")
def test_every_fault_is_told_at_once(server: httpx.Client, cluster: KubernetesCluster) -> None:
    body = order(RECIPE)
    rows = [table.ENDS[id_] for id_ in ("unknown-key", "model-type-not-built")]
    for row in rows:
        FAULTS[row.id].change(body["ir"])  # type: ignore[arg-type]
    for row in rows:
        document = _refused(server, cluster, body, row)
        assert {problem["pointer"] for problem in document["problems"]} == {"/spec/snk", "/spec/type"}


@pytest.mark.end("too-large")
def test_an_order_that_is_too_large_is_not_read(
    server: httpx.Client, cluster: KubernetesCluster, as_operator: None, end: End
) -> None:
    trigger = {"filling": "x" * 6_000_000}
    document = _refused(server, cluster, order(RECIPE, trigger=trigger), end)
    assert document["type"] == "urn:modelops:problem:too-large"
    verdict.assert_command_refused(end, ["job", "start", "nothing", "--trigger", json.dumps(trigger)])


@pytest.mark.end("no-room")
def test_a_job_that_no_quota_could_hold_is_refused_with_the_numbers(
    server: httpx.Client, cluster: KubernetesCluster, end: End
) -> None:
    """One pod for the flow and one for each model."""
    body = order(Recipe(name="crowd", steps=(recipes.PREPARE,)))
    ir: Ir = body["ir"]  # type: ignore[assignment]
    ir += [{**ir[MODEL], "metadata": {"name": f"twice-{number}"}} for number in range(1, 60)]
    steps = [{**recipes.SCORE, "name": f"score-{number}"} for number in range(60)]
    for number, step in enumerate(steps):
        step["score"] = {**step["score"], "model": f"twice-{number}" if number else "twice"}
    _spec(ir, FLOW)["steps"] = steps

    document = _refused(server, cluster, body, end)

    assert {problem["pointer"] for problem in document["problems"]} == {"/environment"}
    told = " ".join(problem["message"] for problem in document["problems"])
    hard = next(iter(cluster.list("ResourceQuota", ENVIRONMENT)))
    assert f"environment '{ENVIRONMENT}' allows" in told
    assert hard["metadata"]["name"] in told


@pytest.mark.end("not-json")
def test_a_body_that_is_no_json_is_refused(server: httpx.Client, end: End) -> None:
    headers = {"Content-Type": "application/json"}
    verdict.assert_answered(end, server.post("/v1/jobs", content=b"{environment", headers=headers))


@pytest.mark.end("not-said-to-be-json")
def test_a_body_of_another_type_is_refused(server: httpx.Client, end: End) -> None:
    answer = server.post("/v1/jobs", content=json.dumps(order(RECIPE)), headers={"Content-Type": "text/plain"})
    verdict.assert_answered(end, answer)


@pytest.mark.end("unknown-job")
def test_a_job_that_there_is_not_is_not_found(server: httpx.Client, as_operator: None, end: End) -> None:
    job = names.job_id(namespace=ENVIRONMENT, key=uuid.uuid4().hex)
    verdict.assert_answered(end, server.get(f"/v1/jobs/{job}"), job=job)
    verdict.assert_answered(end, server.post(f"/v1/jobs/{job}/cancel"), job=job)
    for command in (("show",), ("cancel",), ("watch",), ("logs",)):
        verdict.assert_command_refused(end, ["job", *command, job], job=job)


@pytest.mark.end("unknown-pipeline")
def test_a_pipeline_that_nobody_deployed_is_not_found(
    server: httpx.Client, cluster: KubernetesCluster, as_operator: None, end: End
) -> None:
    _refused(server, cluster, {"environment": ENVIRONMENT, "pipeline": "nothing"}, end)
    verdict.assert_command_refused(end, ["job", "start", "nothing"])


@pytest.mark.end("artifact-of-another-digest")
def test_a_model_of_another_digest_is_not_stored(jobs: Jobs, end: End) -> None:
    with pytest.raises(SchedulerError) as refused:
        jobs.upload(RECIPE.artifact, sha256="0" * 64)
    verdict.assert_error(end, refused.value)
    assert not jobs.store.has_artifact("0" * 64)


@pytest.mark.end("viewer-starts-a-job")
def test_a_viewer_starts_no_job(login: Login, platform: Platform, cluster: KubernetesCluster, end: End) -> None:
    with callers.present(platform) as found, callers.http(login.url, found.viewer) as viewer:
        _refused(viewer, cluster, order(RECIPE), end)


@pytest.mark.end("unknown-environment")
def test_an_unknown_environment_is_refused(
    server: httpx.Client, cluster: KubernetesCluster, as_operator: None, end: End
) -> None:
    _refused(server, cluster, {**order(RECIPE), "environment": "nowhere"}, end)
    verdict.assert_command_refused(end, ["job", "list", "--environment", "nowhere"])


@pytest.mark.end("no-token")
def test_nobody_is_let_in_without_a_token_for_this_platform(
    login: Login, cluster: KubernetesCluster, as_operator: None, monkeypatch: pytest.MonkeyPatch, end: End
) -> None:
    other = cluster.request_token(OPERATOR, NAMESPACE, audience="https://example.com", seconds=600).value
    for headers in ({}, {"Authorization": f"Bearer {other}"}):
        answer = httpx.post(f"{login.url}/v1/jobs", json=order(RECIPE), headers=headers, trust_env=False)
        assert answer.headers["www-authenticate"] == ('Bearer error="invalid_token"' if headers else "Bearer")
        verdict.assert_answered(end, answer)
    monkeypatch.setenv(configuration.TOKEN, other)
    verdict.assert_command_refused(end, ["job", "list"])
