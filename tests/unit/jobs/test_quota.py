"""Whether a quota could ever hold a job, told with numbers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from scheduler import assets
from scheduler.jobs import quota
from scheduler.preprocess.resources import Totals, totals

RELEASE = Totals(
    pods=2,
    request_cpu_millicores=1500,
    request_memory_bytes=512 * 2**20,
    limit_cpu_millicores=3000,
    limit_memory_bytes=2**30,
)
NOT_TASKS = [{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["modelops-task"]}]
TASKS = [{"scopeName": "PriorityClass", "operator": "In", "values": ["modelops-task"]}]


def problems(hard: dict[str, str], expressions: list[dict[str, Any]] | None = None) -> list[str]:
    spec: dict[str, Any] = {"hard": hard}
    if expressions:
        spec["scopeSelector"] = {"matchExpressions": expressions}
    given = {"kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": spec}
    found = quota.validate(RELEASE, [given], environment="staging", task_priority_class="modelops-task")
    return [problem.message for problem in found]


@pytest.mark.parametrize(
    ("hard", "expressions"),
    [
        ({"requests.cpu": "1520m", "pods": "3"}, None),
        ({"requests.cpu": "1500m", "pods": "2"}, NOT_TASKS),
        ({"requests.cpu": "20m", "pods": "1", "limits.memory": "512Mi"}, TASKS),
        ({"cpu": "2", "memory": "1Gi"}, None),
        ({"count/pipelineruns.tekton.dev": "0", "services": "1"}, None),
        ({"pods": "1"}, [{"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"}]),
        ({}, None),
    ],
)
def test_what_fits_fits(hard: dict[str, str], expressions: list[dict[str, Any]] | None) -> None:
    assert problems(hard, expressions) == []


@pytest.mark.parametrize(
    ("hard", "expressions", "words"),
    [
        ({"requests.cpu": "1519m"}, None, "requests.cpu 1.52, and quota 'q' of environment 'staging' allows 1519m"),
        ({"cpu": "1"}, None, "cpu 1.52, and quota 'q' of environment 'staging' allows 1"),
        ({"requests.memory": "0.5Gi"}, None, "requests.memory 576Mi"),
        ({"limits.memory": "1Gi"}, None, "limits.memory 1536Mi"),
        ({"pods": "1"}, NOT_TASKS, "pods 2"),
        ({"requests.cpu": "10m"}, TASKS, "requests.cpu 0.02"),
    ],
)
def test_what_never_fits_is_told(hard: dict[str, str], expressions: list[dict[str, Any]] | None, words: str) -> None:
    (message,) = problems(hard, expressions)
    assert words in message


def test_every_limit_that_is_too_small_is_told() -> None:
    assert len(problems({"pods": "1", "requests.cpu": "1", "limits.cpu": "1"})) == 3


def test_the_task_pod_is_the_largest_of_tekton() -> None:
    pods = []
    for path in sorted((assets.tekton() / "tasks").glob("*.yaml")):
        steps = yaml.safe_load(path.read_text())["spec"]["steps"]
        containers = [{"name": step["name"], "resources": step["computeResources"]} for step in steps]
        pods.append(totals([{"kind": "Pod", "spec": {"containers": containers}}]))

    largest = {name: max(getattr(pod, name) for pod in pods) for name in Totals.__slots__}
    assert Totals(**largest) == quota._TASK
