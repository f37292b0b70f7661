"""What one job installs: the chart scoring-pipeline and its sub-charts in the face `job`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scheduler import assets, names
from scheduler.assembly import folder
from scheduler.jobs import scoring_servers
from scheduler.model.types import Manifest
from scheduler.preprocess import resolve
from scheduler.release import remains
from scheduler.settings import Globals
from tests.charts import render, schemas
from tests.unit.preprocess.pipelines import PIPELINE, SINK, SOURCE

pytestmark = pytest.mark.helm

FLOW = names.flow(render.JOB)
DELAY = names.scoring_service(render.JOB, chart="scoring-server-python", model="delay")
CHURN = names.scoring_service(render.JOB, chart="scoring-server-pmml", model="churn")
DIGEST = "a" * 64


@pytest.fixture(name="values")
def everything() -> dict[str, Any]:
    return render.ci_values(render.PIPELINE, "everything")


@pytest.fixture(name="objects")
def rendered(values: dict[str, Any]) -> tuple[Manifest, ...]:
    return render.job(values)


def pod(objects: tuple[Manifest, ...], kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = render.one(objects, kind, name)["spec"]["template"]["spec"]
    return found


def test_the_objects_are_named_as_the_package_names_them(objects: tuple[Manifest, ...]) -> None:
    uplift = names.scoring_service(render.JOB, chart="scoring-server-python", model="uplift")
    services = {DELAY, CHURN, uplift}
    assert {item["metadata"]["name"] for item in render.of_kind(objects, "Service")} == services
    assert {item["metadata"]["name"] for item in render.of_kind(objects, "Deployment")} == services
    assert {item["metadata"]["name"] for item in render.of_kind(objects, "Job")} == {FLOW}
    assert {item["metadata"]["name"] for item in render.of_kind(objects, "ConfigMap")} == {FLOW, *services}
    assert max(len(item["metadata"]["name"]) for item in objects) <= 52


def test_a_model_and_a_flow_may_have_memory_of_their_own(values: dict[str, Any]) -> None:
    values["scoring-server-pmml"]["models"][0]["memory"] = "8Gi"
    memory = {"memory": "4Gi"}
    values["scoring-flow"]["resources"] = {"requests": memory, "limits": memory}
    objects = render.job(values)
    asked = {
        name: pod(objects, kind, name)["containers"][0]["resources"]
        for kind, name in (("Job", FLOW), ("Deployment", CHURN), ("Deployment", DELAY))
    }
    assert {name: (one["requests"]["memory"], one["limits"]["memory"]) for name, one in asked.items()} == {
        FLOW: ("4Gi", "4Gi"),
        CHURN: ("8Gi", "8Gi"),
        DELAY: ("512Mi", "1Gi"),
    }
    assert {"cpu", "memory"} == {*asked[CHURN]["limits"]} == {*asked[FLOW]["requests"]}
    (served,) = json.loads(render.one(objects, "ConfigMap", CHURN)["data"]["models.json"])["models"]
    assert "memory" not in served


def test_every_object_and_pod_bears_release_component_and_pipeline(objects: tuple[Manifest, ...]) -> None:
    components = {"flow", "scoring-server-python", "scoring-server-pmml"}
    assert {manifest["metadata"]["labels"][names.COMPONENT] for manifest in objects} == components
    for manifest in objects:
        labels = manifest["metadata"]["labels"]
        assert labels[names.RELEASE] == render.JOB
        assert labels[names.PIPELINE] == "flight-delay"
        assert names.JOB_ID not in labels, "the record's label: what uninstall removes must not bear it"
        if "template" in manifest.get("spec", {}):
            assert manifest["spec"]["template"]["metadata"]["labels"] == labels


def test_a_job_consists_of_these_kinds() -> None:
    rendered = {"ConfigMap", "Deployment", "Job", "NetworkPolicy", "Service"}
    made = {"Endpoints", "EndpointSlice", "Pod", "ReplicaSet", "Secret"}
    assert render.job_kinds() == rendered | made
    assert set(remains.KINDS) == rendered | made, "uninstall must look for every kind"


def test_nothing_is_a_hook(objects: tuple[Manifest, ...]) -> None:
    assert [item for item in objects if "helm.sh/hook" in item["metadata"].get("annotations", {})] == []


def test_a_disabled_server_renders_nothing(values: dict[str, Any]) -> None:
    values["scoring-server-pmml"] = {"enabled": False, "models": []}
    assert {item["metadata"]["labels"][names.COMPONENT] for item in render.job(values)} == {
        "flow",
        "scoring-server-python",
    }


def test_the_flow_is_a_batch_job_that_hides_no_attempt(objects: tuple[Manifest, ...]) -> None:
    spec = render.one(objects, "Job", FLOW)["spec"]
    assert {key: value for key, value in spec.items() if key != "template"} == {
        "completionMode": "Indexed",
        "completions": 2,
        "parallelism": 2,
        "backoffLimitPerIndex": 1,
        "maxFailedIndexes": 0,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                {"action": "FailJob", "onExitCodes": {"containerName": "flow", "operator": "In", "values": [10]}},
            ]
        },
    }
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_the_flow_finds_its_configuration_and_its_files(objects: tuple[Manifest, ...], values: dict[str, Any]) -> None:
    given = render.one(objects, "ConfigMap", FLOW)["data"]
    assert given.keys() == {"engine.yaml", "runner.json"}
    assert given["engine.yaml"] == values["scoring-flow"]["flow"]["engine"]
    assert json.loads(given["runner.json"]) == values["scoring-flow"]["flow"]["runner"]
    container = pod(objects, "Job", FLOW)["containers"][0]
    mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
    assert mounts == {
        "/etc/modelops/flow": True,
        "/scratch": False,
        "/tmp": False,
        "/data/data": False,
        "/data/reference": True,
        "/etc/modelops/ca": True,
    }
    assert container["terminationMessagePolicy"] == "File"
    variables = {item["name"]: item for item in container["env"]}
    assert variables["MODELOPS_RELEASE"]["value"] == render.JOB
    assert variables["POD_UID"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.uid"}}
    assert variables["SOURCE_PASSWORD"]["valueFrom"] == {"secretKeyRef": {"name": "source", "key": "password"}}


@pytest.mark.parametrize(
    "text", ["a: '{{ .Release.Name }}'", "tab\t\u2028\U0001f600 \\ \"'", "---\nb: 1\n", "  leading\n\n\n", "<&>"]
)
def test_any_text_of_a_flow_arrives_as_it_is(values: dict[str, Any], text: str) -> None:
    values["scoring-flow"]["flow"].update(engine=text, runner={"text": text})
    given = render.one(render.job(values), "ConfigMap", FLOW)["data"]
    assert given["engine.yaml"] == text
    assert json.loads(given["runner.json"]) == {"text": text}


def test_a_model_is_described_to_its_server(objects: tuple[Manifest, ...]) -> None:
    given = json.loads(render.one(objects, "ConfigMap", DELAY)["data"]["models.json"])
    assert given == {
        "models": [
            {
                "name": "delay",
                "type": "python-binary",
                "sha256": DIGEST,
                "path": f"/models/{DIGEST}",
                "inputs": [
                    {"name": "hour", "datatype": "INT32", "nullable": True},
                    {"name": "distance", "datatype": "FP64"},
                ],
                "outputs": [{"name": "probability", "datatype": "FP64"}],
            }
        ]
    }


@pytest.mark.parametrize(("name", "runner"), [(DELAY, "python"), (CHURN, "pmml")])
def test_only_the_download_holds_the_token(objects: tuple[Manifest, ...], name: str, runner: str) -> None:
    spec = pod(objects, "Deployment", name)
    (download,), (server,) = spec["initContainers"], spec["containers"]
    tokens = [volume for volume in spec["volumes"] if "projected" in volume]
    assert [volume["projected"]["sources"] for volume in tokens] == [
        [{"serviceAccountToken": {"audience": names.ARTIFACTS_AUDIENCE, "expirationSeconds": 600, "path": "token"}}]
    ]
    assert {mount["mountPath"] for mount in download["volumeMounts"] if mount["name"] == tokens[0]["name"]} == {
        "/var/run/secrets/modelops-artifacts"
    }
    assert [mount for mount in server["volumeMounts"] if mount["name"] == tokens[0]["name"]] == []
    assert next(mount for mount in server["volumeMounts"] if mount["name"] == "models")["readOnly"] is True
    assert (download["command"], server["command"] + server["args"]) == (
        ["python3", "-m", "scheduler.serving.download"],
        ["python3", "-m", "scheduler.serving", "--runner", runner],
    )


def test_pods_of_a_release_have_no_token_of_the_api_server(objects: tuple[Manifest, ...]) -> None:
    for name, template in render.pod_templates(objects):
        assert template["spec"]["automountServiceAccountToken"] is False, name
        assert template["spec"]["serviceAccountName"] == names.SCORING_ACCOUNT, name


def _changed(values: dict[str, Any], **globals_: Any) -> dict[str, Any]:
    return {**values, "global": {**values["global"], **globals_}}


def test_each_global_changes_the_field_that_it_is_for(values: dict[str, Any]) -> None:
    changed = _changed(
        values,
        registry={"pull": "registry.example.org"},
        imagePullSecrets=[],
        logLevel="error",
        trace={"endpoint": "http://192.0.2.7:4318", "sampleRatio": 1},
        artifactStore={"url": "http://192.0.2.8:9000"},
        gitServer={"url": "https://git.example.org"},
    )
    objects = render.job(changed)
    flow, service = pod(objects, "Job", FLOW), pod(objects, "Deployment", DELAY)
    variables = {item["name"]: item.get("value") for item in flow["containers"][0]["env"]}
    server = {item["name"] for item in service["containers"][0]["env"]}
    download = {item["name"]: item.get("value") for item in service["initContainers"][0]["env"]}
    annotations = render.one(objects, "Job", FLOW)["spec"]["template"]["metadata"]["annotations"]
    assert flow["containers"][0]["image"] == f"registry.example.org/modelops/streaming-runtime@sha256:{DIGEST}"
    assert "imagePullSecrets" not in flow
    assert pod(render.job(values), "Job", FLOW)["imagePullSecrets"] == [{"name": "registry-login"}]
    assert variables["MODELOPS_LOG_LEVEL"] == download["MODELOPS_LOG_LEVEL"] == "error"
    assert not [name for name in (*variables, *server, *download) if name.startswith("OTEL_")], "nothing reads it"
    assert download["MODELOPS_ARTIFACT_STORE_URL"] == "http://192.0.2.8:9000"
    assert annotations[names.GIT_SERVER] == "https://git.example.org"


def test_what_runs_a_model_or_a_flow_is_told_of_certificates_and_only_the_download_of_the_proxy(
    objects: tuple[Manifest, ...],
) -> None:
    found = {
        container["name"]: {item["name"] for item in container["env"]}
        for template in (pod(objects, "Job", FLOW), pod(objects, "Deployment", DELAY))
        for container in render.containers(template)
    }
    assert {name for name, variables in found.items() if "SSL_CERT_FILE" in variables} == {"flow", "server", "download"}
    assert {name for name, variables in found.items() if "HTTPS_PROXY" in variables} == {"download"}


def test_an_image_that_names_its_registry_is_taken_as_it_is(objects: tuple[Manifest, ...]) -> None:
    image = pod(objects, "Deployment", DELAY)["containers"][0]["image"]
    assert image == f"other.example.com/modelops/scoring-server-python@sha256:{DIGEST}"


def test_everything_wrong_with_the_values_is_said_at_once(values: dict[str, Any]) -> None:
    values["global"]["job"]["environment"] = "production"
    values["global"]["images"] = {}
    values["global"]["artifactStore"]["url"] = ""
    values["scoring-flow"]["flow"]["engine"] = ""
    with pytest.raises(render.RefusedError) as refused:
        render.chart(render.PIPELINE, values=values, release="other", namespace="staging")
    said = str(refused.value)
    for line in (
        "global.job.id: jaaaaaaaaaaaaaaaaaaaa is not the release's name",
        "global.job.environment: production is not the release's namespace (here: staging)",
        "global.images.streaming-runtime: missing",
        "global.images.scoring-server-python: missing",
        "global.images.scoring-server-pmml: missing",
        "global.artifactStore.url: missing",
        "scoring-flow.flow.engine: missing",
    ):
        assert said.count(line) == 1, said


def test_what_preprocessing_makes_is_what_the_charts_take() -> None:
    request = resolve.Request(
        job_id=render.JOB,
        environment="staging",
        registry=(SOURCE, SINK),
        images={name: f"modelops/{name}@sha256:{DIGEST}" for name in ("streaming-runtime", "scoring-server-pmml")},
        scoring_servers=scoring_servers.installed(),
        ir_digest=f"sha256:{DIGEST}",
        globals_=Globals(artifact_store_url="http://modelops-server.modelops.svc:8080"),
    )
    made = resolve.values(PIPELINE, request=request)
    assert schemas.problems(render.PIPELINE, made.values) == ()
    objects = render.job(made.values)
    assert render.one(objects, "ConfigMap", FLOW)["data"]["engine.yaml"] == made.flows[0].engine
    # the flow calls its services by the names that the charts give them
    called = {item["name"] for item in made.values["scoring-flow"]["flow"]["services"]}
    assert {item["metadata"]["name"] for item in render.of_kind(objects, "Service")} == called


def test_equal_values_render_equal_bytes(values: dict[str, Any]) -> None:
    place = ["template", render.JOB, str(render.PIPELINE), "--namespace", "staging", "--values", "-"]
    assert render.helm(*place, values=values) == render.helm(*place, values=dict(reversed(values.items())))


@pytest.mark.parametrize("face", ["builds", "applications"])
def test_a_scoring_server_has_no_other_face_that_starts_something(face: str) -> None:
    for name in ("scoring-flow", "scoring-server-python", "scoring-server-pmml"):
        values = render.ci_values(assets.subchart(name), "everything")
        values["global"]["render"] = face
        assert render.chart(assets.subchart(name), values=values, release="modelops", namespace="modelops") == ()


def test_a_chart_says_which_faces_it_has() -> None:
    for subchart in folder.subcharts(assets.charts()):
        chart = assets.subchart(subchart.name)
        templates = "".join(file.read_text() for file in (chart / "templates").glob("*.yaml"))
        if not subchart.faces:
            continue  # the library
        speaks_of_jobs = '.Values.global.render "job"' in templates or "Face `job`" in templates
        assert ("job" in subchart.faces) == speaks_of_jobs, subchart.name
        is_built = bool(schemas.defaults(chart).get("builds")) or "common.makes" in templates
        assert ("builds" in subchart.faces) == is_built, subchart.name
