"""Who may call: every route without a token, wrong tokens, missing rights, foreign environments."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scheduler.cluster.fake import Rule
from scheduler.cluster.port import Caller
from scheduler.errors import UnavailableError
from tests.unit import world
from tests.unit.api.conftest import BODY, Served, headers
from tests.unit.world import ENVIRONMENT, OTHER

OPEN = {"/healthz", "/readyz"}
CHANNEL = dict(zip(("channel", "schema"), world.channel_documents(), strict=True))
BODIES: dict[tuple[str, str], Any] = {
    ("/v1/jobs", "post"): BODY,
    ("/v1/plans", "post"): BODY,
    ("/v1/jobs/{job_id}/completion", "put"): {"outcome": "Succeeded"},
    ("/v1/data-channels/{name}", "put"): CHANNEL,
    ("/v1/cleanups", "post"): {},
}


def routes(served: Served) -> list[tuple[str, str]]:
    paths = served.server.app.openapi()["paths"]
    return [(path, method) for path, methods in paths.items() for method in methods]


def test_every_route_but_health_needs_a_token(served: Served) -> None:
    found = routes(served)
    assert len(found) >= 13
    for path, method in found:
        url = re.sub(r"{\w+}", "x", path)
        answer = served.client.request(method, url)
        if path in OPEN:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/", "/openapi.json", "/docs", "/v1", "/v1/jobs/", "/healthz/", "//healthz", "/metrics"]
)
def test_no_other_path_is_open(served: Served, path: str) -> None:
    assert served.client.get(path).status_code == 401


@pytest.mark.parametrize("token", ["", "garbage", "Basic x", "Bearer ", "Bearer garbage", "Bearer a b", "bearer"])
def test_a_token_that_is_none_is_not_accepted(served: Served, token: str) -> None:
    assert served.client.get("/v1/jobs", headers={"Authorization": token}).status_code == 401


def test_a_token_for_another_audience_is_not_accepted(served: Served) -> None:
    served.world.cluster.tokens["foreign"] = (Caller(name="operator"), ("kubernetes",))

    assert served.client.get("/v1/jobs", headers=headers("foreign")).status_code == 401


def test_the_token_is_asked_for_before_the_body_is_read(served: Served) -> None:
    def endless() -> Any:
        yield b'{"environment": "'
        raise AssertionError("the body was read")

    assert served.client.post("/v1/jobs", content=endless()).status_code == 401


def test_a_caller_without_rights_gets_nowhere(served: Served) -> None:
    job = served.submit()
    for path, method in routes(served):
        if path in OPEN:
            continue
        url = path.replace("{job_id}", job["id"]).replace("{name}", "flights")
        query = {"environment": ENVIRONMENT} if "channels" in path else {}
        body = BODIES.get((path, method))
        answer = served.client.request(method, url, headers=served.stranger, params=query, json=body)
        assert answer.status_code in {403, 404}, (method, path, answer.text)
    assert served.world.runs()[0]["spec"].get("status") is None


def test_a_viewer_changes_nothing(served: Served) -> None:
    job = served.submit()
    before = served.world.runs()
    url = f"/v1/jobs/{job['id']}"
    place = {"environment": ENVIRONMENT}

    assert served.client.get(url, headers=served.viewer).status_code == 200
    assert served.client.post("/v1/jobs", json=BODY, headers=served.viewer).status_code == 403
    assert served.client.post(f"{url}/cancel", headers=served.viewer).status_code == 403
    assert served.client.put(f"{url}/completion", json={"outcome": "Failed"}, headers=served.viewer).status_code == 403
    channel = "/v1/data-channels/flights"
    assert served.client.put(channel, json=CHANNEL, params=place, headers=served.viewer).status_code == 403
    assert served.client.delete(channel, params=place, headers=served.viewer).status_code == 403
    assert served.world.runs() == before


def test_a_log_is_a_right_of_its_own(served: Served) -> None:
    url = f"/v1/jobs/{served.submit()['id']}"
    rights = {"job": ("jobs",), "both": ("jobs", "jobs/log")}
    found = {}
    for who, resources in rights.items():
        rules = (Rule(who, verb="get", resource=resource, namespace=ENVIRONMENT) for resource in resources)
        token = headers(world.allow(served.world.cluster, who, *rules))
        answers = (served.client.get(f"{url}{suffix}", headers=token) for suffix in ("", "/logs", "/logs?follow=true"))
        found[who] = [answer.status_code for answer in answers]
    # whoever may read it is told that nothing has been written yet
    assert found == {"job": [200, 403, 403], "both": [200, 404, 404]}


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/plans"])
def test_a_deployed_pipeline_is_read_for_those_only_who_may_read_it(served: Served, path: str) -> None:
    token = world.allow(served.world.cluster, "local", Rule("local", namespace=ENVIRONMENT))
    inline = {**{key: value for key, value in BODY.items() if key != "pipeline"}, "ir": list(world.DOCUMENTS)}

    refused = served.client.post(path, json=BODY, headers=headers(token))

    assert refused.status_code == 403
    assert refused.json()["detail"] == "local may not get pipelines.modelops.dev in 'platform'"
    assert served.client.post(path, json={**BODY, "pipeline": "x"}, headers=headers(token)).status_code == 403
    granted = {"/v1/jobs": 403, "/v1/plans": 200}
    assert served.client.post(path, json=inline, headers=headers(token)).status_code == granted[path]


def test_an_ir_with_digests_starts_for_those_only_who_may_read_artifacts(served: Served) -> None:
    inline = {**{key: value for key, value in BODY.items() if key != "pipeline"}, "ir": list(world.DOCUMENTS)}
    here = Rule("local", namespace=ENVIRONMENT)
    token = world.allow(served.world.cluster, "local", here)
    refused = served.client.post("/v1/jobs", json=inline, headers=headers(token))
    assert refused.status_code == 403
    assert refused.json()["detail"] == "local may not get artifacts.modelops.dev in 'platform'"

    artifacts = Rule("reader", verb="get", resource="artifacts", namespace=world.SETTINGS.platform_namespace)
    reader = world.allow(served.world.cluster, "reader", Rule("reader", namespace=ENVIRONMENT), artifacts)
    assert served.client.post("/v1/jobs", json=inline, headers=headers(reader)).status_code == 201


def test_a_foreign_environment_answers_like_one_that_does_not_exist(served: Served) -> None:
    def words(environment: str) -> tuple[int, str]:
        answer = served.client.post("/v1/jobs", json={**BODY, "environment": environment}, headers=served.operator)
        return answer.status_code, answer.text.replace(environment, "X")

    assert words(OTHER) == words("nowhere")
    assert words(OTHER)[0] == 403


def test_a_right_in_a_namespace_that_is_no_environment_is_of_no_use(served: Served) -> None:
    token = world.allow(served.world.cluster, "admin", Rule("admin"))

    answer = served.client.post("/v1/jobs", json={**BODY, "environment": "kube-system"}, headers=headers(token))

    assert answer.status_code == 403


def test_a_foreign_job_answers_like_one_that_does_not_exist(served: Served) -> None:
    job = served.submit()
    token = world.allow(served.world.cluster, "neighbour", Rule("neighbour", namespace=OTHER))

    def words(job_id: str, suffix: str, method: str) -> tuple[int, str]:
        answer = served.client.request(method, f"/v1/jobs/{job_id}{suffix}", headers=headers(token))
        return answer.status_code, answer.text.replace(job_id, "X")

    for suffix, method in (("", "GET"), ("/cancel", "POST"), ("/logs", "GET"), ("/events", "GET")):
        assert words(job["id"], suffix, method) == words("j" + "b" * 20, suffix, method)
        assert words(job["id"], suffix, method)[0] == 404


def test_an_api_server_that_does_not_answer_lets_nobody_in(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bool:
        raise UnavailableError("no answer", retry_after_seconds=3)

    monkeypatch.setattr(served.world.cluster, "allowed", fail)
    answer = served.client.get("/v1/jobs", headers=served.operator)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")


def flow_token(served: Served, *, job_id: str, component: str = "flow", pod_uid: str = "") -> dict[str, str]:
    """A token bound to a pod of the release."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "flow-pod",
            "namespace": ENVIRONMENT,
            "labels": {"modelops.dev/release": job_id, "modelops.dev/component": component},
        },
        "spec": {"containers": [{"name": "flow"}]},
    }
    uid = served.world.cluster.put(pod)["metadata"]["uid"]
    extra = {
        "authentication.kubernetes.io/pod-name": ("flow-pod",),
        "authentication.kubernetes.io/pod-uid": (pod_uid or uid,),
    }
    name = f"system:serviceaccount:{ENVIRONMENT}:modelops-scoring"
    return headers(world.allow(served.world.cluster, name, token=f"flow-{job_id}-{component}-{pod_uid}", extra=extra))


def test_a_flow_may_complete_its_own_job_only(served: Served) -> None:
    job = served.submit()
    other = served.submit(key="other")
    url, body = f"/v1/jobs/{job['id']}/completion", {"outcome": "Succeeded"}

    def status(token: dict[str, str]) -> int:
        return served.client.put(url, json=body, headers=token).status_code

    assert status(flow_token(served, job_id=other["id"])) == 404
    assert status(flow_token(served, job_id=job["id"], component="scoring-server-python")) == 404
    assert status(flow_token(served, job_id=job["id"], pod_uid="another")) == 404
    # accepted as the job's own, and told that it does not score yet
    assert status(flow_token(served, job_id=job["id"])) == 409
    assert served.client.get(f"/v1/jobs/{job['id']}", headers=flow_token(served, job_id=job["id"])).status_code == 404
