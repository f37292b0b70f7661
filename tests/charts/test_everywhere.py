"""What no pod may lack, wherever it comes from: Secrets for pulling its images, and how much it logs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, Final

import pytest
import yaml

from scheduler import assets
from scheduler.model.types import Manifest
from scheduler.tekton import pipeline_run
from tests.charts import render
from tests.unit.tekton.runs import REQUEST

pytestmark = pytest.mark.helm

SECRETS: Final = [{"name": "registry-login"}]
LEVEL: Final = {"name": "MODELOPS_LOG_LEVEL", "value": "debug"}
HOOKS: Final = {"Job/modelops-start", "Job/modelops-remove", "Job/modelops-test"}
SERVERS: Final = {"Deployment/modelops-scheduling-server", "Deployment/modelops-modelops-server"}
TASKS: Final = {"modelops-image-build", "compile-bento", "modelops-deploy"}


@pytest.fixture(name="job", scope="module")
def of_job() -> tuple[Manifest, ...]:
    return render.job(render.ci_values(render.PIPELINE, "everything"))


def _templates(run: Manifest) -> Iterator[Mapping[str, Any]]:
    """The pod templates of a PipelineRun: none of a task's own is laid over the common one."""
    yield run["spec"]["taskRunTemplate"]["podTemplate"]
    yield from (one["podTemplate"] for one in run["spec"].get("taskRunSpecs", ()))


def _installation(objects: tuple[Manifest, ...]) -> Manifest:
    run: Manifest = json.loads(render.one(objects, "ConfigMap", "modelops-installation")["data"]["run.json"])
    return run


def test_every_pod_pulls_with_the_given_secrets(full: tuple[Manifest, ...], job: tuple[Manifest, ...]) -> None:
    pods = {name: template["spec"] for name, template in render.pod_templates(full)}
    assert pods.keys() == HOOKS | SERVERS
    scoring = {name: template["spec"] for name, template in render.pod_templates(job)}
    assert len(scoring) >= 3
    for name, pod in (pods | scoring).items():
        assert pod["imagePullSecrets"] == SECRETS, name
    runs = [_installation(full), pipeline_run.build(replace(REQUEST, pull_secrets=("registry-login",)))]
    templates = [template for run in runs for template in _templates(run)]
    assert len(templates) == 3
    assert all(template["imagePullSecrets"] == SECRETS for template in templates)


def test_every_container_is_told_how_much_to_log(full: tuple[Manifest, ...], job: tuple[Manifest, ...]) -> None:
    for name, template in chain(render.pod_templates(full), render.pod_templates(job)):
        for container in render.containers(template["spec"]):
            assert LEVEL in container["env"], f"{name}: {container['name']}"
    tasks = {item["metadata"]["name"]: item for item in render.of_kind(full, "Task", namespace="images")}
    assert tasks.keys() == TASKS
    for name, task in tasks.items():
        assert all(LEVEL in step["env"] for step in task["spec"]["steps"]), name


def test_every_task_of_a_job_is_told_how_much_to_log() -> None:
    run = pipeline_run.build(replace(REQUEST, log_level="debug"))
    assert {"name": "log-level", "value": "debug"} in run["spec"]["params"]
    passed = "$(params.log-level)"
    (file,) = (assets.tekton() / "pipelines").glob("*.yaml")
    pipeline = yaml.safe_load(file.read_text())["spec"]
    for task in (*pipeline["tasks"], *pipeline["finally"]):
        assert {"name": "log-level", "value": passed} in task["params"], task["name"]
    for file in (assets.tekton() / "tasks").glob("*.yaml"):
        for step in yaml.safe_load(file.read_text())["spec"]["steps"]:
            assert {"name": "MODELOPS_LOG_LEVEL", "value": passed} in step["env"], file.name
