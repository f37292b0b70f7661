"""NetworkPolicies of one job: who may reach its pods, and what they may reach."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler import names
from scheduler.model.types import Manifest
from tests.charts import render

pytestmark = pytest.mark.helm

FLOW = names.flow(render.JOB)
DELAY = names.scoring_service(render.JOB, chart="scoring-server-python", model="delay")


@pytest.fixture(name="values")
def everything() -> dict[str, Any]:
    return render.ci_values(render.PIPELINE, "everything")


@pytest.fixture(name="objects")
def rendered(values: dict[str, Any]) -> tuple[Manifest, ...]:
    return render.job(values)


def test_the_control_port_is_open_to_the_jobs_own_wait_task_alone(objects: tuple[Manifest, ...]) -> None:
    policy = render.one(objects, "NetworkPolicy", FLOW)["spec"]
    wait = {names.JOB_ID: render.JOB, names.TEKTON_PIPELINE_TASK: "wait"}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": wait}}], "ports": [{"protocol": "TCP", "port": 4196}]}
    ]


DNS = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def _namespace(name: str, port: int) -> dict[str, Any]:
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    return {"ports": [{"protocol": "TCP", "port": port}], "to": [selector]}


def test_a_flow_reaches_its_services_and_nothing_else(values: dict[str, Any]) -> None:
    values["global"]["trace"]["endpoint"] = ""
    egress = render.one(render.job(values), "NetworkPolicy", FLOW)["spec"]["egress"]
    service = [
        {
            "to": [{"podSelector": {"matchLabels": {names.RELEASE: render.JOB, names.MODEL: model}}}],
            "ports": [{"protocol": "TCP", "port": 8080}],
        }
        for model in ("delay", "churn")
    ]
    assert egress == [DNS, *service]


def test_the_flow_alone_reaches_the_collector_of_traces(objects: tuple[Manifest, ...]) -> None:
    policies = render.of_kind(objects, "NetworkPolicy")
    opened = _namespace("observability", 4318)
    assert [item["metadata"]["name"] for item in policies if opened in item["spec"]["egress"]] == [FLOW]


def test_a_service_is_reached_by_the_flow_and_reaches_the_artifact_store(objects: tuple[Manifest, ...]) -> None:
    policy = render.one(objects, "NetworkPolicy", DELAY)["spec"]
    flow = {names.RELEASE: render.JOB, names.COMPONENT: "flow"}
    assert policy["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": flow}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    ]
    assert policy["egress"] == [DNS, _namespace("modelops", 8080)]


def test_an_artifact_store_outside_the_cluster_is_reached_by_its_port(values: dict[str, Any]) -> None:
    values["global"].update(
        artifactStore={"url": "https://artifacts.example.com"}, trace={"endpoint": "", "sampleRatio": 0}
    )
    policy = render.one(render.job(values), "NetworkPolicy", DELAY)["spec"]
    outside = [{"ports": [{"protocol": "TCP", "port": port}]} for port in (443, 3128)]
    assert policy["egress"] == [DNS, *outside], "the store, and the proxy that leads there"
