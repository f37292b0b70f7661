"""A sub-chart of another author: one folder, one dependency entry, and every face of the charts has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler import names
from scheduler.jobs import scoring_servers
from scheduler.model.types import Manifest
from tests import third_party
from tests.charts import render, restricted
from tests.third_party import NAME

pytestmark = pytest.mark.helm

IMAGE = f"registry.example.com/modelops/{NAME}@sha256:{render.DIGEST}"
MODEL = {
    "name": "sums",
    "type": third_party.MODEL_TYPE,
    "sha256": "b" * 64,
    "inputs": [{"name": "a", "datatype": "FP64"}],
    "outputs": [{"name": "score", "datatype": "FP64"}],
}
SERVICE = names.scoring_service(render.JOB, chart=NAME, model="sums")


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return third_party.tree(tmp_path_factory.mktemp("project")) / "charts"


def platform(charts: Path, **values: Any) -> tuple[Manifest, ...]:
    given = {**render.ci_values(render.PLATFORM, "minimal"), **values}
    text = render.helm(
        *("template", "modelops", str(charts / "modelops"), "--namespace", "modelops"),
        *("--kube-version", render.KUBERNETES, *render.TEKTON, "--values", "-"),
        values=given,
    )
    return tuple(found for found in yaml.safe_load_all(text) if found)


def job(charts: Path, *models: dict[str, Any]) -> tuple[Manifest, ...]:
    values = render.ci_values(render.PIPELINE, "minimal")
    values["global"]["images"][NAME] = IMAGE
    values["global"]["artifactStore"] = {"url": "http://store.modelops.svc:8080"}
    values[NAME] = {"enabled": bool(models), "models": list(models)}
    path = charts / "subcharts" / "scoring-pipeline"
    return render.chart(path, values=values, release=render.JOB, namespace="staging")


def test_its_images_are_built_its_own_task_first(charts: Path) -> None:
    objects = platform(charts)

    (pipeline,) = render.of_kind(objects, "Pipeline", namespace="modelops-builds")
    tasks = {task["name"]: task for task in pipeline["spec"]["tasks"]}
    app, server = (tasks[image] for image in third_party.IMAGES)
    assert app["taskRef"]["name"] == "pack-linear-csv"
    assert json.loads(next(item["value"] for item in app["params"] if item["name"] == "step"))["chart"] == NAME
    earlier = next(item["value"] for item in server["params"] if item["name"] == "earlier")
    assert earlier == ["linear-csv-app=$(tasks.linear-csv-app.results.reference)"]
    given = next(item["value"] for item in tasks["deploy"]["params"] if item["name"] == "images")
    assert {line.partition("=")[0] for line in given} >= set(third_party.IMAGES)


def test_its_task_has_the_interface_of_every_build_and_its_sources(charts: Path) -> None:
    objects = platform(charts)

    own = render.one(objects, "Task", "pack-linear-csv")
    shipped = render.one(objects, "Task", "compile-bento")
    for part in ("params", "results"):
        assert own["spec"][part] == shipped["spec"][part]
    sources = render.one(objects, "ConfigMap", "linear-csv-sources")
    own_files = third_party.FOLDER / "files"
    files = [own_files / "pack.py", *sorted((own_files / "linear_csv").glob("*.py"))]
    assert sources["data"] == {file.name: file.read_text() for file in files}
    assert sources["metadata"]["namespace"] == own["metadata"]["namespace"] == "modelops-builds"


def test_its_own_values_pass_the_platforms_closed_schema(charts: Path) -> None:
    objects = platform(charts, **{NAME: {"tlsVerify": False}})

    (step,) = render.one(objects, "Task", "pack-linear-csv")["spec"]["steps"]
    assert "--tls-verify=false" in step["args"]


def test_switched_off_it_builds_nothing(charts: Path) -> None:
    objects = platform(charts, **{NAME: {"enabled": False}})

    assert "pack-linear-csv" not in {item["metadata"]["name"] for item in render.of_kind(objects, "Task")}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({NAME: {"tlsVerfy": False}}, "tlsVerfy"),
        ({"scoring-server-linear": {"tlsVerify": False}}, "scoring-server-linear: no sub-chart has this name"),
        ({"envronment": {}}, "envronment"),
    ],
)
def test_values_that_no_chart_takes_are_refused(charts: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(render.RefusedError, match=message):
        platform(charts, **values)


def test_the_applications_have_nothing_of_it(charts: Path) -> None:
    images = {name: f"registry.example.com/modelops/{name}@sha256:{render.DIGEST}" for name in render.PROGRAMS}
    shared = render.ci_values(render.PLATFORM, "minimal")["global"]
    own = {**shared, "render": "applications", "platform": {"name": "modelops"}, "images": {**images, NAME: IMAGE}}

    assert not [item for item in platform(charts, **{"global": own}) if "linear-csv" in item["metadata"]["name"]]


def test_a_job_with_a_model_of_its_type_gets_its_service(charts: Path) -> None:
    objects = job(charts, MODEL)

    kinds = {item["kind"] for item in objects if item["metadata"]["name"] == SERVICE}
    assert kinds == {"ConfigMap", "Deployment", "NetworkPolicy", "Service"}
    pod = render.one(objects, "Deployment", SERVICE)["spec"]["template"]["spec"]
    (download,), (server,) = pod["initContainers"], pod["containers"]
    assert {download["image"], server["image"]} == {IMAGE}
    assert download["command"] == ["python3", "/opt/linear-csv/linear_csv.pyz", "download"]
    assert server["command"] == ["python3", "/opt/linear-csv/linear_csv.pyz", "serve"]
    assert "args" not in server
    assert restricted.violations(pod) == ()
    (described,) = json.loads(render.one(objects, "ConfigMap", SERVICE)["data"]["models.json"])["models"]
    assert described == {**MODEL, "path": f"/models/{MODEL['sha256']}"}


def test_a_job_without_such_a_model_gets_nothing_of_it(charts: Path) -> None:
    assert not [item for item in job(charts) if "linear-csv" in item["metadata"]["name"]]


def test_its_type_is_one_of_those_that_models_may_have(charts: Path) -> None:
    servers = scoring_servers.installed(charts / "subcharts")

    assert third_party.MODEL_TYPE in scoring_servers.model_types(servers)
    assert third_party.MODEL_TYPE not in scoring_servers.model_types()


def test_the_guide_shows_this_very_chart() -> None:
    guide = third_party.GUIDE.read_text()

    assert third_party.ENTRY in guide
    for quoted in ("Chart.yaml", "templates/deployment.yaml"):
        assert (third_party.FOLDER / quoted).read_text() in guide
