"""The platform's chart: the two servers, their settings and their accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from scheduler import names
from scheduler.model.types import Manifest
from scheduler.modelops_server.configuration import Configuration
from scheduler.settings import Globals, JanitorSettings, OidcSettings, Settings
from scheduler.web import serve
from tests.charts import render
from tests.charts.servers import MODELOPS, SCHEDULING, environment

pytestmark = pytest.mark.helm

TASK_CLASS = "modelops-modelops-task"
ISSUER = OidcSettings(
    issuer="https://issuer.example.com:8443/realms/science",
    audience="scoring",
    algorithms=("RS256", "ES256"),
    username_claim="email",
    username_prefix="corp:",
    groups_claim="roles",
    groups_prefix="corp-",
    ca_bundle="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
)


def test_the_platform_starts_its_two_servers_and_no_scoring(minimal: tuple[Manifest, ...]) -> None:
    hooks = {"Job/modelops-start", "Job/modelops-remove", "Job/modelops-test"}
    assert {name for name, _ in render.pod_templates(minimal)} == {
        f"Deployment/{SCHEDULING}",
        f"Deployment/{MODELOPS}",
        *hooks,
    }
    assert render.of_kind(minimal, "PipelineRun") == ()


def test_the_settings_arrive_as_the_server_reads_them(full: tuple[Manifest, ...]) -> None:
    programs = (
        "scheduling-server",
        "modelops-server",
        "streaming-runtime",
        "scoring-server-python",
        "scoring-server-pmml",
    )
    assert Settings.from_environ(environment(full, SCHEDULING)) == Settings(
        environments=("staging", "production"),
        platform_namespace="modelops",
        platform="modelops.modelops",
        task_image=f"registry.example.com:5000/modelops/scheduling-server@sha256:{render.DIGEST}",
        task_priority_class=TASK_CLASS,
        images={program: f"modelops/{program}@sha256:{render.DIGEST}" for program in programs},
        globals_=Globals(
            registry_pull="registry.example.com:5000",
            image_pull_secrets=("registry-login",),
            log_level="debug",
            trace_endpoint="http://collector.observability.svc:4318",
            trace_sample_ratio=0.25,
            artifact_store_url="https://artifacts.example.com",
            git_server_url="https://git.example.com",
            ca_bundle="company-ca/bundle.pem",
            proxy_http="http://proxy.example.com:3128",
            proxy_https="http://secure-proxy.example.com:3129",
            proxy_except=".example.com",
        ),
        modelops_server_url="https://artifacts.example.com",
        token_cache_seconds=5,
        oidc=ISSUER,
        janitor=JanitorSettings(is_enabled=True, is_dry_run=True, period_seconds=10),
    )


def test_every_setting_is_one_that_the_server_reads(full: tuple[Manifest, ...]) -> None:
    given = environment(full, SCHEDULING)
    unread = {name for name in given if Settings.from_environ(_without(given, name)) == Settings.from_environ(given)}
    # the platform's namespace is here the default; the token is read by the client of the modelops server
    assert {name for name in unread if name.startswith("MODELOPS_")} == {"MODELOPS_NAMESPACE", "MODELOPS_TOKEN_FILE"}


def _without(given: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in given.items() if key != name}


@pytest.mark.parametrize(("name", "program"), [(SCHEDULING, "scheduler.api"), (MODELOPS, "scheduler.modelops_server")])
def test_each_server_runs_under_its_own_account(minimal: tuple[Manifest, ...], name: str, program: str) -> None:
    spec = render.one(minimal, "Deployment", name)["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == name
    assert spec["automountServiceAccountToken"] is True
    assert spec["containers"][0]["command"] == ["python3", "-m", program]
    assert render.one(minimal, "ServiceAccount", name, namespace="modelops")


def test_the_modelops_server_reads_its_settings(full: tuple[Manifest, ...]) -> None:
    found = Configuration.from_environ(environment(full, MODELOPS))
    assert (found.scheduling_url, found.environments, found.oidc) == (
        f"http://{SCHEDULING}.modelops.svc:8080",
        ("staging", "production"),
        ISSUER,
    )


def test_an_issuer_without_an_audience_is_refused() -> None:
    values = render.ci_values(render.PLATFORM, "everything")
    values["global"]["oidc"]["audience"] = ""
    with pytest.raises(render.RefusedError, match=r"global\.oidc\.audience: missing"):
        render.platform(values)


@pytest.mark.parametrize(("key", "wrong"), [("issuer", "http://issuer"), ("algorithms", ["HS256"]), ("algorithms", [])])
def test_an_issuer_that_anybody_could_be_is_refused(key: str, wrong: object) -> None:
    values = render.ci_values(render.PLATFORM, "everything")
    values["global"]["oidc"][key] = wrong
    with pytest.raises(render.RefusedError, match=f"oidc.*{key}"):
        render.platform(values)


def test_a_pod_of_the_scheduling_server_serves_until_nobody_is_sent_to_it(minimal: tuple[Manifest, ...]) -> None:
    pod = render.one(minimal, "Deployment", SCHEDULING)["spec"]["template"]["spec"]
    waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert waits + serve.DRAIN_SECONDS < pod["terminationGracePeriodSeconds"]


def test_a_channel_given_in_values_is_registered_as_the_registry_keeps_it(full: tuple[Manifest, ...]) -> None:
    values = render.ci_values(render.PLATFORM, "everything")["data-channel"]["register"][0]
    found = render.one(full, "ConfigMap", names.channel_object("flights"), namespace="staging")
    assert found["metadata"]["labels"][names.DATA_CHANNEL] == "flights"
    assert json.loads(found["data"]["channel.json"]) == {"channel": values["channel"], "schema": values["schema"]}


def refusal(values: Mapping[str, Any], *, release: str = "modelops", namespace: str = "modelops") -> list[str]:
    with pytest.raises(render.RefusedError) as refused:
        render.platform(values, release=release, namespace=namespace)
    lines = str(refused.value).splitlines()
    return [line.strip() for line in lines if line.startswith("  ")]


def test_the_platform_is_refused_without_images_and_says_all_that_is_wrong() -> None:
    values = {
        "global": {
            "render": "applications",
            "environments": ["staging", "modelops"],
            "images": {"modelops-server": f"modelops/modelops-server@sha256:{render.DIGEST}"},
        },
        "data-channel": {"register": [{**_channel(), "environment": "nowhere"}, _channel(), _channel()]},
    }
    assert sorted(line.split(" ", 1)[0] for line in refusal(values)) == [
        "data-channel.register[0].environment:",
        "data-channel.register[2].channel:",
        "global.environments:",
        "global.images.scheduling-server:",
        "global.images.scoring-server-pmml:",
        "global.images.scoring-server-python:",
        "global.images.streaming-runtime:",
    ]


def _channel() -> dict[str, Any]:
    found: dict[str, Any] = render.ci_values(render.PLATFORM, "everything")["data-channel"]["register"][0]
    return found


def test_a_tag_is_no_digest() -> None:
    values = render.ci_values(render.PLATFORM, "minimal")
    values["global"]["images"] = {"scheduling-server": "modelops/scheduling-server:latest"}
    with pytest.raises(render.RefusedError, match="/global/images/scheduling-server"):
        render.platform(values)


def test_names_that_would_grow_too_long_are_refused() -> None:
    said = refusal(render.ci_values(render.PLATFORM, "minimal"), release="r" * 41, namespace="n" * 30)
    assert [line.split(":")[0] for line in said] == ["release name", "release name and namespace"]
