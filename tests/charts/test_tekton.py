"""tekton/: the only source, its copy in the platform's chart, and the rules that its objects keep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import pytest
import yaml

from scheduler import assets, names
from scheduler.model.types import Manifest
from scheduler.tasks import __main__ as tasks
from tests.charts import render, restricted

PINNED: Final = {
    "pipelines/scoring-job-v1.yaml": "23b14321ef6918e2fb66fe5fd2540296e61483ca95e99acc01153cc88ad22d16",
    "tasks/install-v1.yaml": "3821a3a617cb86b80809a8cff17f8cc664cd30f0599a72c688d8524042933694",
    "tasks/uninstall-v1.yaml": "18546afad969381e0344401bc7e5331c4450bd33b2ac251e987a962964fa8b54",
    "tasks/wait-v1.yaml": "e5447175a3f113f98e13e997f3cc2eaed2b2f66d9d8a30f58a7ff711144be7a2",
}
"""SHA-256 of each versioned file. Once released, a file never changes: a change makes the next version beside it."""
POD: Final = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}


def sources() -> Mapping[str, str]:
    """Path below tekton/ -> text of the versioned objects."""
    return {
        str(path.relative_to(assets.tekton())): path.read_text()
        for path in sorted(assets.tekton().glob("*s/*-v*.yaml"))
    }


def objects(kind: str) -> Mapping[str, Manifest]:
    loaded = (yaml.safe_load(text) for text in sources().values())
    return {item["metadata"]["name"]: item for item in loaded if item["kind"] == kind}


def pipeline() -> Mapping[str, Any]:
    found: Mapping[str, Any] = objects("Pipeline")[names.PIPELINE_NAME]["spec"]
    return found


def pipeline_tasks() -> Mapping[str, Mapping[str, Any]]:
    return {item["name"]: item for item in (*pipeline()["tasks"], *pipeline()["finally"])}


def steps() -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, step) for name, task in objects("Task").items() for step in task["spec"]["steps"]]


def test_a_versioned_file_never_changes() -> None:
    assert {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sources().items()} == PINNED


def test_the_platforms_chart_carries_an_exact_copy() -> None:
    copy = render.PLATFORM / "files" / "tekton"
    carried = {str(path.relative_to(copy)): path.read_text() for path in copy.rglob("*") if path.is_file()}
    assert carried == dict(sources()), "cp -r tekton/pipelines tekton/tasks charts/modelops/files/tekton/"


@pytest.mark.helm
def test_every_environment_gets_the_objects_as_they_are() -> None:
    rendered = render.platform(render.ci_values(render.PLATFORM, "everything"))
    for environment in ("staging", "production"):
        for kind in ("Pipeline", "Task"):
            for name, source in objects(kind).items():
                found = render.one(rendered, kind, name, namespace=environment)
                assert found["spec"] == source["spec"]
                assert source["metadata"]["labels"].items() <= found["metadata"]["labels"].items()


def test_each_name_carries_its_version() -> None:
    for path, text in sources().items():
        version = re.search(r"-(v[0-9]+)\.yaml$", path)
        found = yaml.safe_load(text)["metadata"]
        assert version is not None
        assert found["name"].endswith(f"-{version[1]}"), path
        assert found["labels"]["app.kubernetes.io/version"] == version[1], path


def test_the_pipeline_installs_waits_and_always_uninstalls() -> None:
    assert tuple(pipeline_tasks()) == names.TASKS
    assert [item["name"] for item in pipeline()["finally"]] == ["uninstall"]
    assert pipeline_tasks()["wait"]["runAfter"] == ["install"]
    assert not [item for item in pipeline_tasks().values() if item.keys() & {"retries", "onError", "when", "timeout"}]


def test_each_task_gets_every_parameter_that_it_declares_and_no_other() -> None:
    given = {item["name"] for item in pipeline()["params"]}
    for item in pipeline_tasks().values():
        task = objects("Task")[item["taskRef"]["name"]]["spec"]
        assert {param["name"]: param["value"] for param in item["params"]} == {
            param["name"]: f"$(params.{param['name']})" for param in task["params"]
        }
        assert {param["name"] for param in task["params"]} <= given
    used = {param["name"] for item in pipeline_tasks().values() for param in item["params"]}
    assert used == given


def test_every_parameter_of_a_task_is_used_by_its_step() -> None:
    for name, step in steps():
        task = objects("Task")[name]["spec"]
        used = set(re.findall(r"\$\(params\.([a-z-]+)\)", yaml.safe_dump(step)))
        assert used == {param["name"] for param in task["params"]}, name


def test_the_cleanup_needs_no_result_and_no_object() -> None:
    item = pipeline_tasks()["uninstall"]
    task = objects("Task")[item["taskRef"]["name"]]["spec"]
    assert "workspaces" not in item
    assert "workspaces" not in task
    assert "$(tasks." not in yaml.safe_dump(item)
    assert [volume for volume in task["volumes"] if "emptyDir" not in volume] == []


def test_only_install_mounts_the_jobs_input_and_cannot_change_it() -> None:
    mounting = {name for name, task in objects("Task").items() if task["spec"].get("workspaces")}
    assert mounting == {"scoring-job-install-v1"}
    (workspace,) = objects("Task")["scoring-job-install-v1"]["spec"]["workspaces"]
    assert (workspace["name"], workspace["readOnly"], workspace["mountPath"]) == ("input", True, "/workspace/input")


def test_a_step_is_its_program_itself() -> None:
    for name, step in steps():
        assert step["command"] == ["python3", "-m", "scheduler.tasks", step["name"]], name
        assert "script" not in step, "a shell would die of SIGTERM before helm recorded its state"
        assert not step.keys() & {"timeout", "onError"}, "Tekton ends such a step by SIGKILL"


def test_a_step_writes_the_result_that_its_task_declares() -> None:
    for name, step in steps():
        results = [item["name"] for item in objects("Task")[name]["spec"]["results"]]
        assert results == ["outcome"], name
        assert "--result=$(results.outcome.path)" in step["args"], name


def test_a_program_takes_the_arguments_of_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    for name, step in steps():
        with pytest.raises(SystemExit):
            tasks.main([step["name"], "--help"])
        taken = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--namespace"}
        assert {argument.partition("=")[0] for argument in step["args"]} == taken, name


def test_no_parameter_reaches_a_shell() -> None:
    for name, step in steps():
        assert all(re.fullmatch(r"--[a-z-]+=\$\([a-z.-]+\)", argument) for argument in step["args"]), name


def test_every_step_meets_pod_security_restricted_by_itself() -> None:
    for name, step in steps():
        pod = {"securityContext": POD, "containers": [step], "volumes": objects("Task")[name]["spec"]["volumes"]}
        assert restricted.violations(pod) == (), name
        assert restricted.violations({"containers": [step]}) == (), name
        assert step["securityContext"]["readOnlyRootFilesystem"] is True, name


def test_every_step_has_requests_and_limits() -> None:
    for name, step in steps():
        for kind in ("requests", "limits"):
            assert step["computeResources"][kind].keys() == {"cpu", "memory"}, name


def test_what_is_described_says_so() -> None:
    for task in objects("Task").values():
        described = (*task["spec"]["params"], *task["spec"]["results"], *task["spec"].get("workspaces", ()))
        assert all(item.get("description") for item in described)
    assert all(item.get("description") for item in (*pipeline()["params"], *pipeline()["workspaces"]))
