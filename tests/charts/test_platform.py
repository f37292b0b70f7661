"""The platform's chart: two servers, and the environments where jobs run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scheduler import assets, names
from scheduler.api import __main__ as server_main
from scheduler.artifacts.storage import Storage
from scheduler.model.types import Manifest
from scheduler.modelops_server.configuration import Configuration
from scheduler.settings import Globals, JanitorSettings, OidcSettings, Settings
from scheduler.web import serve
from tests.charts import render

pytestmark = pytest.mark.helm

DIGEST = "a" * 64
SERVER = "modelops-scheduling-server"
STORE = "modelops-modelops-server"
MODELOPS = assets.subchart("modelops-server")
SERVERS = {"app.kubernetes.io/instance": "modelops", "app.kubernetes.io/part-of": "modelops"}
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


@pytest.fixture(name="minimal", scope="module")
def least() -> tuple[Manifest, ...]:
    return render.both(render.ci_values(render.PLATFORM, "minimal"))


@pytest.fixture(name="full", scope="module")
def most() -> tuple[Manifest, ...]:
    return render.both(render.ci_values(render.PLATFORM, "everything"))


def container(objects: tuple[Manifest, ...], deployment: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = render.one(objects, "Deployment", deployment)["spec"]["template"]["spec"]["containers"][
        0
    ]
    return found


def environment(objects: tuple[Manifest, ...], deployment: str) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container(objects, deployment)["env"]}


def test_the_platform_starts_its_two_servers_and_no_scoring(minimal: tuple[Manifest, ...]) -> None:
    hooks = {"Job/modelops-start", "Job/modelops-remove", "Job/modelops-test"}
    assert {name for name, _ in render.pod_templates(minimal)} == {
        f"Deployment/{SERVER}",
        f"Deployment/{STORE}",
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
    assert Settings.from_environ(environment(full, SERVER)) == Settings(
        environments=("staging", "production"),
        platform_namespace="modelops",
        platform="modelops.modelops",
        task_image=f"registry.example.com:5000/modelops/scheduling-server@sha256:{DIGEST}",
        task_priority_class=TASK_CLASS,
        images={program: f"modelops/{program}@sha256:{DIGEST}" for program in programs},
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
        modelops_server_url=f"http://{STORE}.modelops.svc:8080",
        token_cache_seconds=5,
        oidc=ISSUER,
        janitor=JanitorSettings(is_enabled=True, is_dry_run=True, period_seconds=10),
    )


def test_every_setting_is_one_that_the_server_reads(full: tuple[Manifest, ...]) -> None:
    given = environment(full, SERVER)
    unread = {name for name in given if Settings.from_environ(_without(given, name)) == Settings.from_environ(given)}
    # the platform's namespace is here the default; the token is read by the client of the modelops server
    assert {name for name in unread if name.startswith("MODELOPS_")} == {"MODELOPS_NAMESPACE", "MODELOPS_TOKEN_FILE"}


def _without(given: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in given.items() if key != name}


def test_models_come_from_the_platforms_own_store_unless_another_is_named(minimal: tuple[Manifest, ...]) -> None:
    url = environment(minimal, SERVER)["MODELOPS_ARTIFACT_STORE_URL"]
    service = render.one(minimal, "Service", STORE)
    port = service["spec"]["ports"][0]["port"]
    assert url == f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc:{port}"


@pytest.mark.parametrize(("name", "program"), [(SERVER, "scheduler.api"), (STORE, "scheduler.modelops_server")])
def test_each_server_runs_under_its_own_account(minimal: tuple[Manifest, ...], name: str, program: str) -> None:
    spec = render.one(minimal, "Deployment", name)["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == name
    assert spec["automountServiceAccountToken"] is True
    assert spec["containers"][0]["command"] == ["python3", "-m", program]
    assert render.one(minimal, "ServiceAccount", name, namespace="modelops")


def test_models_outlive_the_pod_and_the_release(minimal: tuple[Manifest, ...], full: tuple[Manifest, ...]) -> None:
    kept, given_up = (render.one(objects, "PersistentVolumeClaim", STORE) for objects in (minimal, full))
    assert kept["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert "annotations" not in given_up["metadata"]
    assert given_up["spec"]["storageClassName"] == "fast"
    deployment = render.one(minimal, "Deployment", STORE)["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
    volumes = {volume["name"]: volume for volume in deployment["template"]["spec"]["volumes"]}
    assert volumes["data"] == {"name": "data", "persistentVolumeClaim": {"claimName": STORE}}


def test_a_claim_of_ones_own_is_used() -> None:
    objects = render.both(render.ci_values(render.PLATFORM, "existing"))
    assert render.of_kind(objects, "PersistentVolumeClaim") == ()
    volumes = render.one(objects, "Deployment", STORE)["spec"]["template"]["spec"]["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "models"}} in volumes


def stored(**storage: Any) -> tuple[Manifest, ...]:
    """The modelops server's objects as its `ci` file for object stores has them, with these changes."""
    values = render.ci_values(MODELOPS, "object-store")
    values["storage"] |= storage
    return render.chart(MODELOPS, values=values, release="modelops", namespace="modelops")


def test_with_an_object_store_there_is_no_volume_and_pods_may_be_many() -> None:
    objects = stored()
    assert render.of_kind(objects, "PersistentVolumeClaim") == ()
    deployment = render.one(objects, "Deployment", STORE)["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (2, {"type": "RollingUpdate"})
    pod = deployment["template"]["spec"]
    names_ = {volume["name"] for volume in pod["volumes"]}
    assert names_ == {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {"tmp", "modelops-token"}


def test_the_place_of_models_arrives_as_the_server_reads_it_and_credentials_by_reference_alone() -> None:
    given = container(stored(), STORE)["env"]
    plain = {item["name"]: item["value"] for item in given if "value" in item}
    assert Configuration.from_environ(plain).storage == Storage(
        url="s3://models/platform", endpoint="http://s3.storage.svc:7070", region="eu-central-1"
    )
    references = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in given if "valueFrom" in item}
    assert references == {
        key: {"name": "models-store", "key": key, "optional": is_optional}
        for key, is_optional in (
            ("AWS_ACCESS_KEY_ID", False),
            ("AWS_SECRET_ACCESS_KEY", False),
            ("AWS_SESSION_TOKEN", True),
        )
    }
    without = container(stored(secretRef={"name": ""}), STORE)["env"]
    assert [item for item in without if "valueFrom" in item] == []


def test_the_server_may_reach_its_object_store_and_no_other_place_of_the_cluster() -> None:
    def ways(**storage: Any) -> list[Any]:
        return list(render.one(stored(**storage), "NetworkPolicy", STORE)["spec"]["egress"])

    inside = {
        "ports": [{"protocol": "TCP", "port": 7070}],
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "storage"}}}],
    }
    assert inside in ways()
    assert {"ports": [{"protocol": "TCP", "port": 443}]} in ways(endpoint="")


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ({"url": "file:///data"}, "storage.url: file:///data is no object store"),
        ({"url": "memory://"}, "storage.url: memory:// is no object store"),
        ({"url": ""}, "replicas: 2 pods cannot write to one volume"),
        ({"url": ""}, "storage.endpoint: http://s3.storage.svc:7070 belongs to a storage.url of s3://"),
        ({"url": "gs://models"}, "storage.secretRef.name: models-store belongs to a storage.url of s3://"),
        ({"url": "s3://AKIA:hunter2@models"}, "/storage/url"),
        ({"endpoint": "https://AKIA:hunter2@s3.example.com"}, "/storage/endpoint"),
    ],
)
def test_a_place_that_is_none_is_refused(storage: dict[str, str], words: str) -> None:
    with pytest.raises(render.RefusedError) as caught:
        stored(**storage)
    assert words in str(caught.value)


def test_an_environment_is_a_restricted_namespace_of_this_platform(minimal: tuple[Manifest, ...]) -> None:
    namespace = render.one(minimal, "Namespace", "staging")
    labels = namespace["metadata"]["labels"]
    assert namespace["metadata"]["name"] == "staging"
    assert namespace["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert (labels[names.ENVIRONMENT], labels[names.PLATFORM]) == ("staging", "modelops.modelops")


def test_an_environment_that_is_there_already_gets_everything_but_its_namespace(minimal: tuple[Manifest, ...]) -> None:
    objects = render.both(render.ci_values(render.PLATFORM, "existing"))
    kinds = {item["kind"] for item in objects if item["metadata"].get("namespace") == "staging"}
    assert render.of_kind(objects, "Namespace") == ()
    assert kinds == {"ServiceAccount", "Role", "RoleBinding", "LimitRange", "Pipeline", "Task", "ConfigMap"}
    every = {item["kind"] for item in minimal if item["metadata"].get("namespace") == "staging"}
    assert every - kinds == {"NetworkPolicy", "ResourceQuota"}


def test_every_environment_gets_the_same(full: tuple[Manifest, ...]) -> None:
    found = {
        namespace: {
            (item["kind"], item["metadata"]["name"]) for item in full if item["metadata"].get("namespace") == namespace
        }
        for namespace in ("staging", "production")
    }
    registered = {("ConfigMap", names.channel_object("flights"))}
    # `helm test` runs in the first one
    registered |= {(kind, "modelops-test") for kind in ("Role", "RoleBinding")}
    assert found["staging"] - registered == found["production"]
    assert {("ServiceAccount", names.RUNNER_ACCOUNT), ("ServiceAccount", names.SCORING_ACCOUNT)} <= found["production"]


def test_task_pods_have_a_reserve_that_jobs_cannot_take(minimal: tuple[Manifest, ...]) -> None:
    quotas = {item["metadata"]["name"]: item["spec"] for item in render.of_kind(minimal, "ResourceQuota")}
    scope = {"scopeName": "PriorityClass", "values": [TASK_CLASS]}
    assert quotas["modelops-jobs"]["scopeSelector"] == {"matchExpressions": [{**scope, "operator": "NotIn"}]}
    assert quotas["modelops-tasks"]["scopeSelector"] == {"matchExpressions": [{**scope, "operator": "In"}]}
    assert "scopeSelector" not in quotas["modelops-objects"]
    priority = render.one(minimal, "PriorityClass", TASK_CLASS)
    assert (priority["value"], priority["globalDefault"], priority["preemptionPolicy"]) == (1000, False, "Never")
    assert environment(minimal, SERVER)["MODELOPS_TASK_PRIORITY_CLASS"] == TASK_CLASS


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
    policy = render.one(full, "NetworkPolicy", SERVER, namespace="modelops")["spec"]
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
        [8080],
        [443],
        [4318],
        [8443],
        [3128],
        [3129],
    ]
    assert policy["egress"][1]["to"] == [{"ipBlock": {"cidr": "192.0.2.1/32"}}]


def test_each_server_reaches_the_other_and_shows_its_own_token(full: tuple[Manifest, ...]) -> None:
    for name, other, variable in (
        (SERVER, STORE, "MODELOPS_SERVER_URL"),
        (STORE, SERVER, "MODELOPS_SCHEDULING_URL"),
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


def test_the_modelops_server_reads_its_settings(full: tuple[Manifest, ...]) -> None:
    found = Configuration.from_environ(environment(full, STORE))
    assert (found.scheduling_url, found.environments, found.oidc) == (
        f"http://{SERVER}.modelops.svc:8080",
        ("staging", "production"),
        ISSUER,
    )


def test_both_servers_reach_the_issuer_and_none_that_is_not_named(
    minimal: tuple[Manifest, ...], full: tuple[Manifest, ...]
) -> None:
    opened = {"ports": [{"protocol": "TCP", "port": 8443}]}
    for name in (SERVER, STORE):
        policies = [render.one(objects, "NetworkPolicy", name, namespace="modelops") for objects in (full, minimal)]
        assert [opened in policy["spec"]["egress"] for policy in policies] == [True, False]
        assert not [variable for variable in environment(minimal, name) if "OIDC" in variable]


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
    pod = render.one(minimal, "Deployment", SERVER)["spec"]["template"]["spec"]
    waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert waits + serve.DRAIN_SECONDS < pod["terminationGracePeriodSeconds"]


def test_metrics_need_no_token_and_are_open_to_nobody_unless_named(minimal: tuple[Manifest, ...]) -> None:
    policy = render.one(minimal, "NetworkPolicy", SERVER, namespace="modelops")["spec"]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    ports = {port["containerPort"] for port in container(minimal, SERVER)["ports"]}
    assert ports == {8080, server_main.METRICS_PORT}


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
            "images": {"modelops-server": f"modelops/modelops-server@sha256:{DIGEST}"},
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


def test_the_notes_are_a_checklist_with_the_readers_own_names(tmp_path: Path) -> None:
    said = _notes(tmp_path, "minimal", release="scores", namespace="ml")
    assert "modelops install wait --namespace ml --release scores" in said
    assert "modelops install logs --namespace ml --release scores" in said
    assert "kubectl -n ml-builds get pipelineruns.tekton.dev -l modelops.dev/installation=scores" in said
    assert "kubectl -n ml logs job/scores-start" in said
    assert "helm test scores --namespace ml" in said
    assert "kubectl -n ml rollout status deployment -l app.kubernetes.io/instance=scores" in said
    assert "kubectl -n ml port-forward service/scores-scheduling-server 8080" in said
    assert "PersistentVolumeClaim scores-modelops-server" in said
    assert "Nobody is bound yet" in said
    assert "kubectl get clusterroles ml-scores-viewer ml-scores-operator ml-scores-admin" in said
    assert "Secret" not in said


def test_the_notes_name_the_secrets_that_builds_wait_for(tmp_path: Path) -> None:
    said = _notes(tmp_path, "everything", release="modelops", namespace="ml")
    assert "kubectl -n images get secret archives" in said
    assert "kubectl -n images get secret registry-push" in said
    assert "Bound are 1 viewers, 1 operators and 1 admins" in said


def test_the_notes_say_how_to_label_a_namespace_of_ones_own(tmp_path: Path) -> None:
    said = _notes(tmp_path, "existing", release="scores", namespace="ml")
    assert f"kubectl label namespace staging {names.ENVIRONMENT}=staging {names.PLATFORM}=ml.scores" in said
    assert f"kubectl label namespace existing-builds {names.PLATFORM}=ml.scores" in said


def test_the_notes_of_the_other_releases_say_what_they_are_for(tmp_path: Path) -> None:
    prepared = _notes(tmp_path / "one", "prerequisites", release="scores-prerequisites", namespace="ml")
    applied = _notes(tmp_path / "two", "applications", release="scores-apps", namespace="ml")
    assert "the role `admin` in\nml, ml-builds, staging; to see whether it holds Tekton's objects too" in prepared
    assert "helm install scores charts/modelops --namespace ml" in prepared
    assert applied.startswith("The applications of scores are installed in namespace ml.")


def _notes(folder: Path, ci: str, *, release: str, namespace: str) -> str:
    """NOTES.txt rendered as the data of an object, because `helm template` leaves notes out."""
    chart = folder / "modelops"
    shutil.copytree(render.PLATFORM, chart)
    text = (chart / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "NOTES.txt").unlink()
    (chart / "templates" / "_notes.tpl").write_text('{{- define "notes" -}}' + text + "{{- end -}}")
    (chart / "templates" / "notes.yaml").write_text(
        'kind: Notes\nmetadata: {name: notes}\ntext: {{ include "notes" . | toJson }}\n'
    )
    objects = render.chart(chart, values=render.ci_values(render.PLATFORM, ci), release=release, namespace=namespace)
    return str(render.one(objects, "Notes", "notes")["text"])
