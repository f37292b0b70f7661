"""The manifests of a job."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scheduler import names
from scheduler.cluster import patches
from scheduler.errors import InvalidInputError, TooLargeError
from scheduler.model import job_json, job_size
from scheduler.model.job import Reason
from scheduler.tekton import diagnosis, job_input, pipeline_run
from tests.unit.tekton.runs import INPUT, JOB, REQUEST


def test_a_run_is_made_whole() -> None:
    made = pipeline_run.build(REQUEST)

    submission = json.loads(made["metadata"]["annotations"].pop(names.JOB))
    assert submission == job_json.submission_to_json(INPUT.submission)
    assert made == {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": JOB,
            "namespace": "staging",
            "labels": {
                "modelops.dev/job-id": JOB,
                "app.kubernetes.io/part-of": "modelops",
                "app.kubernetes.io/managed-by": "modelops",
                "modelops.dev/pipeline": "flight-delay",
                "modelops.dev/platform": "modelops.one",
                "label.modelops.dev/team": "ops",
            },
            "annotations": {
                "modelops.dev/input": INPUT.name,
                "modelops.dev/body-digest": "sha256:b",
                "modelops.dev/ir-digest": "sha256:i",
                "modelops.dev/values-digest": "sha256:v",
            },
        },
        "spec": {
            "status": "PipelineRunPending",
            "pipelineRef": {"name": "scoring-job-v1"},
            "params": [
                {"name": "job-id", "value": JOB},
                {"name": "image", "value": "registry.example/scheduling-server@sha256:1"},
                {"name": "ir-digest", "value": "sha256:i"},
                {"name": "values-digest", "value": "sha256:v"},
                {"name": "install-seconds", "value": "300"},
                {"name": "ready-seconds", "value": "300"},
                {"name": "run-seconds", "value": "7200"},
                {"name": "finish-seconds", "value": "600"},
                {"name": "log-level", "value": "info"},
            ],
            "workspaces": [{"name": "input", "configMap": {"name": INPUT.name}}],
            "timeouts": {"pipeline": "12420s", "tasks": "11460s", "finally": "660s"},
            "taskRunTemplate": {
                "serviceAccountName": "modelops-runner",
                "podTemplate": {
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 10001,
                        "runAsGroup": 10001,
                        "fsGroup": 10001,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "enableServiceLinks": False,
                    "priorityClassName": "modelops-task",
                },
            },
        },
    }


def test_the_pipeline_outlasts_tasks_and_finally() -> None:
    timeouts = pipeline_run.build(REQUEST)["spec"]["timeouts"]
    seconds = {name: int(text.removesuffix("s")) for name, text in timeouts.items()}

    assert seconds["pipeline"] > seconds["tasks"] + seconds["finally"]


def test_a_phase_without_a_deadline_has_time_for_years() -> None:
    deadlines = {**INPUT.submission.deadlines, "run": 0}
    request = replace(REQUEST, input=replace(INPUT, submission=replace(INPUT.submission, deadlines=deadlines)))

    spec = pipeline_run.build(request)["spec"]

    assert {param["name"]: param["value"] for param in spec["params"]}["run-seconds"] == "0"
    seconds = {name: int(text.removesuffix("s")) for name, text in spec["timeouts"].items()}
    assert seconds["tasks"] > 9 * 365 * 24 * 3600
    assert seconds["pipeline"] > seconds["tasks"] + seconds["finally"]
    assert seconds["finally"] == 660


def test_a_run_is_started_once() -> None:
    pending = pipeline_run.build(REQUEST)

    started = patches.stepped(pending, pipeline_run.start())

    assert "status" not in started["spec"]
    with pytest.raises(InvalidInputError):
        patches.stepped(started, pipeline_run.start())


def test_a_pending_run_is_cancelled_at_once_and_a_started_one_torn_down() -> None:
    pending = pipeline_run.build(REQUEST)
    by = {"by": "ada", "at": "now", "mode": "cancel"}

    at_once = patches.stepped(pending, pipeline_run.cancel_pending(**by))
    started = patches.stepped(pending, pipeline_run.start())
    later = patches.merged(started, pipeline_run.cancel(**by))

    assert at_once["spec"]["status"] == "Cancelled"
    assert later["spec"]["status"] == "CancelledRunFinally"
    assert json.loads(at_once["metadata"]["annotations"][names.CANCELLED_BY]) == by
    assert (
        later["metadata"]["annotations"][names.CANCELLED_BY] == at_once["metadata"]["annotations"][names.CANCELLED_BY]
    )
    with pytest.raises(InvalidInputError):
        patches.stepped(started, pipeline_run.cancel_pending(**by))


def test_an_input_belongs_to_nobody_until_its_run_owns_it() -> None:
    made = job_input.build(INPUT, ir="{}", values="a: 1\n")

    committed = patches.merged(made, job_input.owned_by({"metadata": {"name": JOB, "uid": "u-1"}}))

    assert job_input.read(made) == INPUT
    assert made["metadata"]["name"] == INPUT.name
    assert made["immutable"] is True
    assert made["data"] == {"ir.json": "{}", "values.yaml": "a: 1\n"}
    assert made["metadata"]["labels"][names.UNCOMMITTED] == "true"
    assert names.UNCOMMITTED not in committed["metadata"]["labels"]
    assert committed["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "name": JOB,
            "uid": "u-1",
            "controller": False,
            "blockOwnerDeletion": False,
        }
    ]


def test_an_input_is_at_most_900_kib() -> None:
    limit = job_size.MAX_BYTES

    job_input.build(INPUT, ir="é" * (limit // 2 - 2), values="abcd")
    with pytest.raises(TooLargeError, match="at most 900 KiB"):
        job_input.build(INPUT, ir="é" * (limit // 2 - 2), values="abcde")


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.NONE, Reason.COMPLETED}))
def test_each_bad_reason_has_a_diagnosis_with_a_remedy(reason: Reason) -> None:
    found = diagnosis.of(reason, detail="words")

    assert found is not None
    assert found.category in {"configuration", "data", "model", "capacity", "platform", "user"}
    assert found.resolution
    assert found.detail == "words"
