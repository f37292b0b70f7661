import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.fake import FakeCluster, Rule
from scheduler.cluster.port import Caller
from scheduler.modelops_server import app, views
from scheduler.modelops_server.configuration import Configuration

CONTENT = b"model" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
JOB = "j" + "a" * 20
BODIES: dict[str, object] = {"revisions": {"documents": []}, "jobs": {"environment": "staging"}}
OTHER = hashlib.sha256(b"other").hexdigest()
ANNA = {"Authorization": "Bearer anna"}
BOB = {"Authorization": "Bearer bob"}
POD = {"Authorization": "Bearer pod"}
DOCUMENTS = list(
    yaml.safe_load_all(
        f"""
apiVersion: modelops/v1
kind: ScoringPipeline
metadata: {{name: delay}}
spec: {{mode: batch, source: {{channel: flights}}, sink: {{channel: delays}}, flows: [score]}}
---
apiVersion: modelops/v1
kind: ScoringFlow
metadata: {{name: score}}
spec:
  input: {{schema: flight}}
  output: {{schema: scored}}
  steps: [{{name: late, score: {{model: delay, inputs: [distance], output: late}}}}]
---
apiVersion: modelops/v1
kind: Model
metadata: {{name: delay}}
spec: {{type: pmml, artifact: delay.pmml, sha256: {SHA256}, inputs: {{schema: flight}}, outputs: {{schema: late}}}}
---
apiVersion: modelops/v1
kind: RecordSchema
metadata: {{name: flight}}
spec: {{properties: {{distance: {{type: number, format: double}}}}, required: [distance]}}
---
apiVersion: modelops/v1
kind: RecordSchema
metadata: {{name: late}}
spec: {{properties: {{late: {{type: number, format: double}}}}, required: [late]}}
---
apiVersion: modelops/v1
kind: RecordSchema
metadata: {{name: scored}}
spec:
  properties: {{distance: {{type: number, format: double}}, late: {{type: number, format: double}}}}
  required: [distance, late]
"""
    )
)


@pytest.fixture
def cluster() -> FakeCluster:
    pod = Caller(name="system:serviceaccount:staging:modelops-scoring")
    return FakeCluster(
        tokens={
            "anna": (Caller(name="anna", groups=("operators",)), ("modelops",)),
            "bob": (Caller(name="bob"), ("modelops",)),
            "pod": (pod, ("modelops-artifacts",)),
            "elsewhere": (Caller(name="system:serviceaccount:production:x"), ("modelops-artifacts",)),
            "person": (Caller(name="carl"), ("modelops-artifacts",)),
        },
        rules={Rule("operators", namespace="platform")},
    )


@pytest.fixture
def client(cluster: FakeCluster, tmp_path: Path) -> Iterator[TestClient]:
    with served(cluster, tmp_path, environments=("staging",)) as opened:
        yield opened


@contextmanager
def served(cluster: FakeCluster, data: Path, *, environments: tuple[str, ...]) -> Iterator[TestClient]:
    configuration = Configuration(
        data=data, platform_namespace="platform", environments=environments, artifact_most_bytes=3_000_000
    )
    nowhere = SchedulingClient("http://127.0.0.1:9")
    application = app.create(
        configuration, cluster=cluster, scheduling=nowhere, now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
    with TestClient(application, raise_server_exceptions=False) as opened:
        yield opened


def _put(client: TestClient, content: bytes = CONTENT, headers: Mapping[str, str] = ANNA) -> int:
    return client.put(f"/v1/artifacts/{SHA256}", content=content, headers=headers).status_code


def _deploy(client: TestClient, documents: list[dict[str, Any]] = DOCUMENTS, name: str = "delay") -> Any:
    return client.post(f"/v1/pipelines/{name}/revisions", json={"documents": documents}, headers=ANNA)


def test_an_artifact_goes_in_and_comes_out(client: TestClient) -> None:
    assert (_put(client), _put(client)) == (201, 200)
    answer = client.get(f"/v1/artifacts/{SHA256}", headers=ANNA)
    assert answer.content == CONTENT
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert client.head(f"/v1/artifacts/{SHA256}", headers=ANNA).headers["etag"] == f'"{SHA256}"'


def test_content_that_differs_from_its_digest_is_refused(client: TestClient) -> None:
    answer = client.put(f"/v1/artifacts/{SHA256}", content=b"other", headers=ANNA)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:modelops:problem:digest-mismatch")
    assert client.head(f"/v1/artifacts/{SHA256}", headers=ANNA).status_code == 404


def test_a_body_above_the_limit_is_refused(client: TestClient) -> None:
    assert _put(client, content=b"x" * 3_000_001) == 413


def test_a_digest_that_is_none_is_refused(client: TestClient) -> None:
    assert client.get("/v1/artifacts/latest", headers=ANNA).status_code == 422


def _damage(root: Path, sha256: str) -> None:
    file = root / "artifacts" / sha256[:2] / sha256
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_a_damaged_artifact_is_told_until_it_is_uploaded_again(client: TestClient, tmp_path: Path) -> None:
    _put(client)
    _damage(tmp_path, SHA256)
    for _ in range(2):
        answer = client.get(f"/v1/artifacts/{SHA256}", headers=ANNA)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:modelops:problem:digest-mismatch")
    assert client.head(f"/v1/artifacts/{SHA256}", headers=ANNA).status_code == 404
    _put(client)
    assert client.get(f"/v1/artifacts/{SHA256}", headers=ANNA).status_code == 200


def test_a_long_damaged_artifact_breaks_off(client: TestClient, tmp_path: Path) -> None:
    content = os.urandom(2_500_000)
    sha256 = hashlib.sha256(content).hexdigest()
    client.put(f"/v1/artifacts/{sha256}", content=content, headers=ANNA)
    _damage(tmp_path, sha256)
    with pytest.raises(RuntimeError, match="response already started"), TestClient(client.app) as strict:
        strict.get(f"/v1/artifacts/{sha256}", headers=ANNA)
    assert client.get(f"/v1/artifacts/{sha256}", headers=ANNA).status_code == 422


ROUTES = [
    ("PUT", f"/v1/artifacts/{SHA256}"),
    ("HEAD", f"/v1/artifacts/{SHA256}"),
    ("GET", f"/v1/artifacts/{SHA256}"),
    ("PUT", f"/v1/artifacts/{SHA256}/grants/staging"),
    ("POST", "/v1/pipelines/delay/revisions"),
    ("GET", "/v1/pipelines"),
    ("GET", "/v1/pipelines/delay"),
    ("GET", "/v1/pipelines/delay/revisions/1"),
    ("POST", "/v1/pipelines/delay/jobs"),
    ("GET", "/v1/pipelines/delay/jobs"),
    ("GET", f"/v1/jobs/{JOB}"),
    ("POST", f"/v1/jobs/{JOB}/cancel"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_wants_a_token_and_a_right(client: TestClient, method: str, path: str) -> None:
    body = BODIES.get(path.rpartition("/")[2]) if method == "POST" else None
    assert client.request(method, path, json=body).status_code == 401
    # of a job nobody without rights is told even that
    refusal = 404 if path.startswith("/v1/jobs/") else 403
    assert client.request(method, path, json=body, headers=BOB).status_code == refusal


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/openapi.json"),
        ("GET", "/"),
        ("PUT", "/v1/artifacts/latest"),
        ("POST", "/v1/pipelines/delay/revisions"),
    ],
)
def test_without_a_token_nothing_is_said_at_all(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path, content=b"no JSON").status_code == 401


def test_the_openapi_document_says_what_needs_a_token(client: TestClient) -> None:
    document = client.get("/openapi.json", headers=ANNA).json()
    assert (document["security"], document["components"]["securitySchemes"]["token"]["scheme"]) == (
        [{"token": []}],
        "bearer",
    )
    free = {
        path
        for path, methods in document["paths"].items()
        if any(one.get("security") == [] for one in methods.values())
    }
    assert free == {"/healthz", "/readyz"}


def test_whatever_the_openapi_document_refers_to_is_in_it(client: TestClient) -> None:
    text = client.get("/openapi.json", headers=ANNA).text
    schemas = client.get("/openapi.json", headers=ANNA).json()["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert {"JobView", "ProblemView", "ProblemEntry"} <= named
    assert named <= set(schemas)


def test_a_path_with_one_slash_too_many_is_no_other_path(client: TestClient) -> None:
    assert client.get("/v1/pipelines/", headers=ANNA, follow_redirects=False).status_code == 404


def test_every_route_is_in_the_table_above(client: TestClient) -> None:
    paths = client.get("/openapi.json", headers=ANNA).json()["paths"]
    given = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    filled = {
        (method, path.format(sha256=SHA256, environment="staging", name="delay", revision=1, job_id=JOB))
        for method, path in given
    }
    assert filled - {("GET", "/healthz"), ("GET", "/readyz")} == set(ROUTES)


def test_a_job_reads_what_its_environment_was_granted(client: TestClient) -> None:
    _put(client)
    assert client.get(f"/v1/artifacts/{SHA256}", headers=POD).status_code == 404
    assert client.put(f"/v1/artifacts/{SHA256}/grants/staging", headers=ANNA).status_code == 204
    assert client.get(f"/v1/artifacts/{SHA256}", headers=POD).content == CONTENT
    elsewhere = {"Authorization": "Bearer elsewhere"}
    assert client.get(f"/v1/artifacts/{SHA256}", headers=elsewhere).status_code == 404
    assert client.get(f"/v1/artifacts/{SHA256}", headers={"Authorization": "Bearer person"}).status_code == 403


def test_a_namespace_that_is_no_environment_any_more_reads_nothing(
    client: TestClient, cluster: FakeCluster, tmp_path: Path
) -> None:
    _put(client)
    client.put(f"/v1/artifacts/{SHA256}/grants/staging", headers=ANNA)
    with served(cluster, tmp_path, environments=("production",)) as later:
        refused = later.get(f"/v1/artifacts/{SHA256}", headers=POD)
        nothing = later.get(f"/v1/artifacts/{OTHER}", headers=POD)
    assert (refused.status_code, nothing.status_code) == (404, 404)
    assert refused.json()["detail"].replace(SHA256, OTHER) == nothing.json()["detail"]
    with served(cluster, tmp_path, environments=("production", "staging")) as again:
        assert again.get(f"/v1/artifacts/{SHA256}", headers=POD).content == CONTENT


def test_a_jobs_token_is_good_for_nothing_else(client: TestClient) -> None:
    _put(client)
    client.put(f"/v1/artifacts/{SHA256}/grants/staging", headers=ANNA)
    assert _put(client, headers=POD) == 401
    assert client.get("/v1/pipelines", headers=POD).status_code == 401
    assert client.put(f"/v1/artifacts/{SHA256}/grants/staging", headers=POD).status_code == 401


def test_an_unknown_environment_is_refused_with_what_there_is(client: TestClient) -> None:
    _put(client)
    answer = client.put(f"/v1/artifacts/{SHA256}/grants/production", headers=ANNA)
    assert (answer.status_code, answer.json()["problems"][0]["candidates"]) == (422, ["staging"])


def test_deploying_makes_revisions_and_equal_content_none(client: TestClient) -> None:
    _put(client)
    first = _deploy(client)
    assert (first.status_code, first.json()["revision"], first.json()["created"]) == (201, 1, True)
    again = _deploy(client, DOCUMENTS[::-1])
    assert (again.status_code, again.json()["revision"], again.json()["created"]) == (200, 1, False)
    changed = [{**DOCUMENTS[0], "metadata": {"name": "delay", "description": "new"}}, *DOCUMENTS[1:]]
    assert _deploy(client, changed).json()["revision"] == 2


def test_revisions_are_shown(client: TestClient) -> None:
    _put(client)
    made = _deploy(client).json()
    shown = {key: made[key] for key in ("pipeline", "revision", "digest", "createdAt", "createdBy")}
    assert (shown["createdAt"], shown["createdBy"]) == ("2026-01-02T03:04:05.000Z", "anna")
    assert client.get("/v1/pipelines", headers=ANNA).json() == {"pipelines": [shown]}
    assert client.get("/v1/pipelines/delay", headers=ANNA).json() == {
        "name": "delay",
        "latest": 1,
        "revisions": [shown],
    }
    latest = client.get("/v1/pipelines/delay/revisions/latest", headers=ANNA).json()
    assert latest == client.get("/v1/pipelines/delay/revisions/1", headers=ANNA).json()
    assert {document["kind"] for document in latest["documents"]} == {document["kind"] for document in DOCUMENTS}


def test_a_revision_refers_to_artifacts_that_are_there(client: TestClient) -> None:
    answer = _deploy(client)
    assert answer.status_code == 422
    assert [(one["document"], SHA256 in one["message"]) for one in answer.json()["problems"]] == [("Model/delay", True)]


def test_a_faulty_ir_is_refused_with_every_problem(client: TestClient) -> None:
    _put(client)
    faulty = [
        {**DOCUMENTS[0], "spec": {**DOCUMENTS[0]["spec"], "flows": ["scor"], "mode": "request-response"}},
        *DOCUMENTS[1:],
    ]
    answer = _deploy(client, faulty)
    assert answer.status_code == 422
    assert len(answer.json()["problems"]) >= 2


def test_documents_of_another_pipeline_are_refused(client: TestClient) -> None:
    _put(client)
    assert "of pipeline 'delay', not of 'other'" in _deploy(client, name="other").json()["problems"][0]["message"]


@pytest.mark.parametrize(
    "path", ["/v1/pipelines/none", "/v1/pipelines/delay/revisions/x", "/v1/pipelines/..%2f../revisions/1"]
)
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path, headers=ANNA).status_code == 404


def test_health_needs_no_token(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    (tmp_path / "parts").rmdir()
    assert client.get("/readyz").status_code == 503


def test_the_configuration_comes_from_the_environment() -> None:
    environ = {"MODELOPS_ENVIRONMENTS": "staging, production", "MODELOPS_NAMESPACE": "p", "MODELOPS_DATA": "/data"}
    environ |= {"MODELOPS_SCHEDULING_URL": "http://scheduling:8080", "MODELOPS_SCHEDULING_SECONDS": "7"}
    configuration = Configuration.from_environ(environ)
    assert configuration == Configuration(
        data=Path("/data"),
        platform_namespace="p",
        environments=("staging", "production"),
        scheduling_url="http://scheduling:8080",
        scheduling_seconds=7,
    )


def test_a_method_that_a_path_has_not_is_answered_with_those_that_it_has(client: TestClient) -> None:
    answer = client.patch(f"/v1/artifacts/{SHA256}", headers=ANNA)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, PUT")


def test_bodies_are_what_the_document_says(client: TestClient) -> None:
    _put(client)
    views.ArtifactView.model_validate(client.put(f"/v1/artifacts/{SHA256}", content=CONTENT, headers=ANNA).json())
    views.MadeView.model_validate(_deploy(client).json())
    views.LatestView.model_validate(client.get("/v1/pipelines", headers=ANNA).json())
    views.RevisionsView.model_validate(client.get("/v1/pipelines/delay", headers=ANNA).json())
    views.DocumentsView.model_validate(client.get("/v1/pipelines/delay/revisions/1", headers=ANNA).json())
