"""How an installation is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.errors import NotFoundError
from scheduler.installation import looking, view
from scheduler.installation.looking import Platform
from scheduler.installation.outcome import Outcome, State
from scheduler.installation.view import Installation, Progress, Step
from tests.unit.installation import objects
from tests.unit.installation.objects import BUILDS, NAMESPACE, RELEASE

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
PLATFORM = Platform(name=RELEASE, namespace=NAMESPACE, builds=BUILDS)
REFERENCE = "r/modelops/bento@sha256:" + "1" * 64


def run(status: str = "Unknown", reason: str = "", message: str = "") -> dict[str, Any]:
    made = objects.run(1)
    tasks = [{"name": name} for name in ("bento", "streaming-runtime", "deploy")]
    condition = objects.condition(status, reason, message)
    return {**made, "status": {"conditions": [condition], "pipelineSpec": {"tasks": tasks}}}


def task_run(step: str, status: str, *, said: Outcome | None = None, reason: str = "", **more: Any) -> dict[str, Any]:
    results = [{"name": "outcome", "value": said.text()}] if said else []
    results += [{"name": "reference", "value": REFERENCE}] if said and said.is_success else []
    labels = {names.TEKTON_PIPELINE_TASK: step, names.TEKTON_PIPELINE_RUN: "modelops-abababab-1"}
    return {
        "kind": "TaskRun",
        "metadata": {"name": f"run-{step}", "namespace": BUILDS, "labels": labels},
        "status": {
            "conditions": [objects.condition(status, reason, more.pop("message", ""))],
            "results": results,
            "startTime": "2026-01-01T00:00:30Z",
            **more,
        },
    }


def project(run: dict[str, Any], *task_runs: dict[str, Any]) -> Installation:
    return view.project(run, task_runs, now=NOW)


def test_every_step_is_there_with_what_it_said() -> None:
    built = Outcome(state=State.BUILT, seconds=12, tag="t")

    begun = task_run("streaming-runtime", "Unknown", podName="p")
    found = project(run(), task_run("bento", "True", said=built), begun)

    assert found.state is Progress.RUNNING
    assert found.steps == (
        Step(name="bento", state="built", seconds=12, image=REFERENCE),
        Step(name="streaming-runtime", state="running", seconds=30, pod="p"),
        Step(name="deploy", state="waiting"),
    )


def test_a_failed_build_is_the_reason() -> None:
    failed = Outcome(state=State.FAILED, seconds=3, message="no space left\n→ make room")

    found = project(run("False", message="Tasks Completed: 1"), task_run("bento", "False", said=failed))

    assert (found.state, found.reason) == (Progress.FAILED, "bento: no space left\n→ make room")
    assert found.steps[0] == Step(name="bento", state="failed", seconds=3, reason="no space left\n→ make room")


@pytest.mark.parametrize(
    ("reason", "state"),
    [("TaskRunTimeout", "timed out"), ("TaskRunCancelled", "cancelled"), ("SomethingNew", "failed")],
)
def test_a_step_that_could_not_say_anything_is_told_in_tektons_words(reason: str, state: str) -> None:
    end = "2026-01-01T00:00:40Z"
    ended = task_run("bento", "False", reason=reason, message="why", completionTime=end, podName="p")

    assert project(run(), ended).steps[0] == Step(
        name="bento", state=state, seconds=10, reason=f"{reason}: why", pod="p"
    )


def test_what_keeps_a_pod_from_running_is_told_while_it_waits_with_what_to_do() -> None:
    waiting = task_run("bento", "Unknown", reason="ExceededResourceQuota", message="no room")

    assert (
        project(run(), waiting).steps[0].reason.startswith("ExceededResourceQuota: no room\n→ raise global.build.quota")
    )


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("TaskRunTimeout", "not within 1m"),
        (
            "TaskRunCancelled",
            'TaskRun "t" was cancelled. TaskRun cancelled as the PipelineRun it belongs to has timed out.',
        ),
    ],
)
def test_a_step_that_never_got_a_pod_is_the_reason_and_says_so(reason: str, message: str) -> None:
    ended = task_run("bento", "False", reason=reason, message=message)

    found = project(run("False", "PipelineRunTimeout", "failed to finish within 17m"), ended)

    assert (found.state, found.steps[0].state) == (Progress.TIMED_OUT, "timed out")
    told = f"bento: {reason}: {message}\n→ it never got a pod: raise global.build.quota"
    assert found.reason.startswith(told)


@pytest.mark.parametrize(
    ("status", "reason", "state"),
    [
        ("True", "Succeeded", Progress.SUCCEEDED),
        ("False", "Cancelled", Progress.CANCELLED),
        ("False", "PipelineRunTimeout", Progress.TIMED_OUT),
        ("False", "CouldntGetTask", Progress.FAILED),
        ("Unknown", "New", Progress.RUNNING),
    ],
)
def test_the_installations_state_is_that_of_its_run(status: str, reason: str, state: Progress) -> None:
    assert project(run(status, reason, "why")).state is state


def test_the_newest_run_is_looked_at() -> None:
    cluster = FakeCluster()
    for number in (9, 10):
        cluster.put(objects.run(number))

    assert looking.newest(PLATFORM, cluster=cluster, now=NOW).run == "modelops-abababab-10"


def test_without_a_run_it_is_said_where_to_look_on() -> None:
    with pytest.raises(NotFoundError, match=r"kubectl -n platform logs job/modelops-start"):
        looking.newest(PLATFORM, cluster=FakeCluster(), now=NOW)


def test_logs_are_those_of_the_steps_containers() -> None:
    cluster = FakeCluster()
    cluster.put(run())
    cluster.put(task_run("bento", "False", podName="pod-bento"))
    containers = [{"name": "sidecar"}, {"name": "step-compile"}]
    cluster.put(
        {"kind": "Pod", "metadata": {"name": "pod-bento", "namespace": BUILDS}, "spec": {"containers": containers}}
    )
    cluster.logs[BUILDS, "pod-bento", "step-compile"] = ["a", "b"]
    found = looking.newest(PLATFORM, cluster=cluster, now=NOW)

    (step,) = looking.selected(found, "")

    assert list(looking.lines(step, namespace=BUILDS, cluster=cluster, follow=False, tail_lines=1)) == ["b"]
    assert looking.selected(found, "bento") == (step,)
    for name, message in (("nothing", "there are bento, streaming-runtime, deploy"), ("deploy", "it is waiting")):
        with pytest.raises(NotFoundError, match=message):
            looking.selected(found, name)
