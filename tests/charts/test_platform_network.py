"""What the network lets through to the servers and to an environment's pods, and from them."""

from __future__ import annotations

import pytest

from scheduler import names
from scheduler.api import __main__ as server_main
from scheduler.model.types import Manifest
from tests.charts import render
from tests.charts.servers import MODELOPS, SCHEDULING, container, environment

pytestmark = pytest.mark.helm

SERVERS = {"app.kubernetes.io/instance": "modelops", "app.kubernetes.io/part-of": "modelops"}


def test_an_environment_denies_what_is_not_opened(minimal: tuple[Manifest, ...]) -> None:
    denial = render.one(minimal, "NetworkPolicy", "modelops-default-deny", namespace="staging")["spec"]
    tasks = render.one(minimal, "NetworkPolicy", "modelops-tasks", namespace="staging")["spec"]
    assert denial == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert tasks == {
        "podSelector": {"matchExpressions": [{"key": names.JOB_ID, "operator": "Exists"}]},
        "policyTypes": ["Egress"],
        "egress": [
            {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]},
            {"ports": [{"protocol": "TCP", "port": port} for port in (443, 6443, 16443)]},
            {
                "to": [{"podSelector": {"matchLabels": {names.COMPONENT: "flow"}}}],
                "ports": [{"protocol": "TCP", "port": 4196}],
            },
        ],
    }


def test_the_servers_are_called_on_their_port_and_call_only_what_they_need(full: tuple[Manifest, ...]) -> None:
    policy = render.one(full, "NetworkPolicy", SCHEDULING, namespace="modelops")["spec"]
    assert policy["ingress"] == [
        {
            "ports": [{"protocol": "TCP", "port": 8080}],
            "from": [
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}},
                {"podSelector": {"matchLabels": SERVERS}},
            ],
        },
        {
            "ports": [{"protocol": "TCP", "port": 9090}],
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        },
    ]
    assert [sorted({port["port"] for port in rule["ports"]}) for rule in policy["egress"]] == [
        [53],
        [6443],
        [443],
        [443],
        [8443],
        [3128],
        [3129],
    ]
    assert policy["egress"][1]["to"] == [{"ipBlock": {"cidr": "192.0.2.1/32"}}]


def test_each_server_reaches_the_other_and_shows_its_own_token() -> None:
    values = render.ci_values(render.PLATFORM, "everything")
    values["global"]["artifactStore"]["url"] = ""
    full = render.both(values)
    for name, other, variable in (
        (SCHEDULING, MODELOPS, "MODELOPS_SERVER_URL"),
        (MODELOPS, SCHEDULING, "MODELOPS_SCHEDULING_URL"),
    ):
        given = environment(full, name)
        assert given[variable] == f"http://{other}.modelops.svc:8080"
        policy = render.one(full, "NetworkPolicy", name, namespace="modelops")["spec"]
        opened = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "modelops"}}}
        assert {"ports": [{"protocol": "TCP", "port": 8080}], "to": [opened]} in policy["egress"]
        template = render.one(full, "Deployment", other)["spec"]["template"]
        assert SERVERS.items() <= template["metadata"]["labels"].items(), "what the other's policy lets in"
        (mount,) = [one for one in container(full, name)["volumeMounts"] if one["name"] == "modelops-token"]
        (volume,) = [
            one
            for one in render.one(full, "Deployment", name)["spec"]["template"]["spec"]["volumes"]
            if one["name"] == "modelops-token"
        ]
        (source,) = volume["projected"]["sources"]
        assert source["serviceAccountToken"]["audience"] == names.AUDIENCE
        assert given["MODELOPS_TOKEN_FILE"] == f"{mount['mountPath']}/{source['serviceAccountToken']['path']}"


def test_models_of_another_platform_are_granted_by_the_server_that_jobs_fetch_them_from() -> None:
    values = render.ci_values(render.PLATFORM, "minimal")
    values["global"]["artifactStore"] = {"url": "http://first-modelops-server.first.svc:8080"}
    values["modelops-server"] = {"enabled": False}
    objects = render.both(values)
    given = environment(objects, SCHEDULING)
    asked = {given[name] for name in ("MODELOPS_SERVER_URL", "MODELOPS_ARTIFACT_STORE_URL")}
    assert asked == {"http://first-modelops-server.first.svc:8080"}
    there = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "first"}}}
    egress = render.one(objects, "NetworkPolicy", SCHEDULING, namespace="modelops")["spec"]["egress"]
    assert egress[2:] == [{"ports": [{"protocol": "TCP", "port": 8080}], "to": [there]}]


def test_both_servers_reach_the_issuer_and_none_that_is_not_named(
    minimal: tuple[Manifest, ...], full: tuple[Manifest, ...]
) -> None:
    opened = {"ports": [{"protocol": "TCP", "port": 8443}]}
    for name in (SCHEDULING, MODELOPS):
        policies = [render.one(objects, "NetworkPolicy", name, namespace="modelops") for objects in (full, minimal)]
        assert [opened in policy["spec"]["egress"] for policy in policies] == [True, False]
        assert not [variable for variable in environment(minimal, name) if "OIDC" in variable]


def test_metrics_need_no_token_and_are_open_to_nobody_unless_named(minimal: tuple[Manifest, ...]) -> None:
    policy = render.one(minimal, "NetworkPolicy", SCHEDULING, namespace="modelops")["spec"]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    ports = {port["containerPort"] for port in container(minimal, SCHEDULING)["ports"]}
    assert ports == {8080, server_main.METRICS_PORT}
