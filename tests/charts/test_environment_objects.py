"""What an environment consists of."""

from __future__ import annotations

import pytest

from scheduler import names
from scheduler.model.types import Manifest
from tests.charts import render
from tests.charts.servers import SCHEDULING, environment

pytestmark = pytest.mark.helm

TASK_CLASS = "modelops-modelops-task"


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
    assert environment(minimal, SCHEDULING)["MODELOPS_TASK_PRIORITY_CLASS"] == TASK_CLASS
