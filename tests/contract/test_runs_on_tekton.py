"""What is taken for granted of Tekton, tried on Tekton: real runs of the real Pipeline, with stubs for its programs."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import assets, names
from scheduler.channels import registry
from scheduler.cluster.faults import Gap, When
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.mirror import Mirror
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, NotFoundError
from scheduler.jobs import cancel, logs, query, reading, submit
from scheduler.jobs.board import Board
from scheduler.jobs.logs import Selection
from scheduler.jobs.ports import Ports
from scheduler.model.job import Cleanup, Job, JobState, Reason
from scheduler.tekton import slim
from tests import real_cluster
from tests.unit import world
from tests.unit.faulty import Killed, dying

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

IMAGE: Final = os.environ.get("MODELOPS_TEST_IMAGE", "10.217.0.1:5000/modelops/base:trixie")
STUB: Final = """
import json, sys, time
task, mode, result = sys.argv[1:4]
print(f"{task} does {mode}", flush=True)
outcome = {"outcome": "Succeeded", "reason": "Completed", "message": "done", "seconds": 1.0, "chartDigest": "sha256:c",
           "ledger": {"read": 3, "written": 3}, "cleanup": "CLEAN", "leftovers": []}
if mode == f"{task}-sleeps":
    time.sleep(600)
if mode == f"{task}-crashes":
    sys.exit(3)
if mode == f"{task}-fails":
    reason = "InstallFailed" if task == "install" else "SourceMissing"
    outcome |= {"outcome": "Failed", "reason": reason, "message": "as asked"}
    outcome |= {"cleanup": "LEAKED", "leftovers": ["Pod/x"]}
open(result, "w").write(json.dumps(outcome))
sys.exit(1 if mode == f"{task}-fails" else 0)
"""


def stubbed(path: Path, namespace: str) -> dict[str, Any]:
    """A Task of ours as it is, but for its program."""
    manifest: dict[str, Any] = yaml.safe_load(path.read_text())
    manifest["metadata"]["namespace"] = namespace
    if manifest["kind"] == "Task":
        step = manifest["spec"]["steps"][0]
        step["command"] = ["python3", "-c", STUB, step["name"]]
        step["args"] = ["$(params.log-level)", "$(results.outcome.path)"]
    return manifest


@dataclass
class Trial:
    """An environment with stubs; a job's behaviour is chosen by its log level, which every task gets."""

    cluster: KubernetesCluster
    ports: Ports
    namespace: str

    def submit(self, mode: str, *, cluster: Cluster | None = None, image: str = IMAGE) -> str:
        settings = self.ports.settings
        globals_ = replace(settings.globals_, log_level=mode)
        through: Cluster = cluster or self.cluster
        ports = replace(
            self.ports,
            cluster=through,
            channels=partial(registry.channels, through),
            settings=replace(settings, globals_=globals_, task_image=image),
        )
        wanted = world.order(environment=self.namespace, labels={"mode": mode})
        return submit.submit(wanted, key=f"{mode}-{image}", by="ada", ports=ports).job.id

    def wait(self, job_id: str, condition: Callable[[Job], bool], *, seconds: float = 200) -> Job:
        """The job as soon as the watches show what is asked for."""
        deadline = time.monotonic() + seconds
        while True:
            stamp = self.ports.board.mirror.stamp(self.namespace, job_id)
            job = self.ports.board.job(self.namespace, job_id)
            if job is not None and condition(job):
                return job
            assert time.monotonic() < deadline, f"still {job}"
            self.ports.board.mirror.wait_past(self.namespace, job_id, stamp, timeout_seconds=5)

    def finished(self, job_id: str) -> Job:
        return self.wait(job_id, lambda job: job.state.is_finished)

    def cancel(self, job_id: str) -> Job:
        return cancel.cancel(job_id, self.namespace, by="ada", at=self.ports.now(), cluster=self.cluster)


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    cluster = KubernetesCluster.from_kubeconfig(real_cluster.kubeconfig())
    namespace = f"trial-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
    account = {"name": names.RUNNER_ACCOUNT, "namespace": namespace}
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    for folder in ("tasks", "pipelines"):
        for manifest in sorted((assets.tekton() / folder).glob("*.yaml")):
            cluster.create(stubbed(manifest, namespace))
    ports = replace(
        world.build().ports,
        cluster=cluster,
        board=Board(Mirror(cluster, namespaces=[namespace], slims=slim.OF_KIND), cluster=cluster),
        settings=replace(world.SETTINGS, environments=(namespace,), task_image=IMAGE, task_priority_class=""),
        channels=partial(registry.channels, cluster),
    )
    ports.board.mirror.start()
    yield Trial(cluster=cluster, ports=ports, namespace=namespace)
    ports.board.mirror.stop()
    with suppress(NotFoundError):
        cluster.delete("Namespace", namespace)
    time.sleep(0.1)
    cluster.close()


@pytest.fixture(scope="module")
def job_ids(trial: Trial) -> dict[str, str]:
    """One job for each mode, all started at once, so that they run beside each other."""
    modes = (
        "info",
        "install-fails",
        "install-crashes",
        "install-sleeps",
        "wait-fails",
        "wait-sleeps",
        "uninstall-fails",
    )
    started = {mode: trial.submit(mode) for mode in modes}
    started["image-missing"] = trial.submit("info", image="10.217.0.1:5000/modelops/nothing:1")
    return started


def facts(job: Job) -> tuple[JobState, Cleanup, str, Reason]:
    return job.state, job.cleanup, job.task, job.reason


def assert_failed(job: Job, expected: tuple[JobState, Cleanup, str, Reason]) -> None:
    assert facts(job) == expected
    assert job.diagnosis is not None
    assert job.message


def test_success(trial: Trial, job_ids: dict[str, str]) -> None:
    job = trial.finished(job_ids["info"])

    assert facts(job) == (JobState.SUCCEEDED, Cleanup.CLEAN, "", Reason.COMPLETED)
    assert job.records is not None
    assert (job.records.read, job.records_per_second) == (3, 3.0)
    assert job.submission.digests["charts"] == "sha256:c"
    assert list(job.timestamps) == ["QUEUED", "INSTALLING", "RUNNING", "FINISHING", "SUCCEEDED"]
    assert list(job.timestamps.values()) == sorted(job.timestamps.values())


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("install-fails", (JobState.FAILED, Cleanup.CLEAN, "install", Reason.INSTALL_FAILED)),
        ("install-crashes", (JobState.FAILED, Cleanup.CLEAN, "install", Reason.TEKTON)),
        ("wait-fails", (JobState.FAILED, Cleanup.CLEAN, "wait", Reason.SOURCE_MISSING)),
        ("uninstall-fails", (JobState.SUCCEEDED, Cleanup.LEAKED, "uninstall", Reason.LEAKED)),
    ],
)
def test_failures(
    trial: Trial, job_ids: dict[str, str], mode: str, expected: tuple[JobState, Cleanup, str, Reason]
) -> None:
    assert_failed(trial.finished(job_ids[mode]), expected)


@pytest.mark.parametrize(("mode", "task"), [("install-sleeps", "install"), ("wait-sleeps", "wait")])
def test_cancel_tears_down(trial: Trial, job_ids: dict[str, str], mode: str, task: str) -> None:
    job_id = job_ids[mode]
    trial.wait(job_id, lambda job: job.task == task and job.state != JobState.QUEUED)

    first, second = trial.cancel(job_id), trial.cancel(job_id)
    job = trial.finished(job_id)

    assert first.state == second.state == JobState.CANCELLING
    assert facts(job) == (JobState.CANCELLED, Cleanup.CLEAN, task, Reason.CANCELLED)
    assert trial.cancel(job_id).state == JobState.CANCELLED


def test_what_is_over_cannot_be_cancelled(trial: Trial, job_ids: dict[str, str]) -> None:
    trial.finished(job_ids["info"])

    with pytest.raises(ConflictError, match="SUCCEEDED"):
        trial.cancel(job_ids["info"])


def test_a_pending_job_ends_at_once(trial: Trial) -> None:
    """Its server died before it let the run go."""
    with pytest.raises(Killed):
        trial.submit("warning", cluster=dying(trial.cluster, Gap(when=When.BEFORE, verb="patch", kind="PipelineRun")))
    job_id = names.job_id(namespace=trial.namespace, key=f"warning-{IMAGE}")
    trial.wait(job_id, lambda job: job.state == JobState.QUEUED)

    trial.cancel(job_id)

    job = trial.finished(job_id)
    assert facts(job) == (JobState.CANCELLED, Cleanup.NOT_NEEDED, "", Reason.CANCELLED)
    assert trial.cluster.list("TaskRun", trial.namespace, labels={names.JOB_ID: job_id}).items == ()


def test_a_submit_that_was_cut_off_is_finished_by_a_retry(trial: Trial) -> None:
    with pytest.raises(Killed):
        trial.submit("error", cluster=dying(trial.cluster, Gap(when=When.AFTER, verb="patch", kind="ConfigMap")))

    job = trial.finished(trial.submit("error"))

    assert facts(job) == (JobState.SUCCEEDED, Cleanup.CLEAN, "", Reason.COMPLETED)
    assert len(trial.cluster.list("ConfigMap", trial.namespace, labels={names.JOB_ID: job.id})) == 1


def test_another_view_of_a_job_is_the_same(trial: Trial, job_ids: dict[str, str]) -> None:
    """What a replica without watches reads is what the watches have told."""
    job = trial.finished(job_ids["info"])

    read = reading.fresh(trial.cluster.get("PipelineRun", job.id, trial.namespace), cluster=trial.cluster)

    assert read == job


def test_the_logs_of_a_finished_job_are_there(trial: Trial, job_ids: dict[str, str]) -> None:
    trial.finished(job_ids["info"])

    selection = Selection(source="wait", follow=True)
    lines = logs.open_(job_ids["info"], trial.namespace, selection=selection, cluster=trial.cluster)

    assert list(lines) == ["wait does info"]


def test_with_the_run_goes_everything(trial: Trial, job_ids: dict[str, str]) -> None:
    job_id = job_ids["install-fails"]
    trial.finished(job_id)

    trial.cluster.delete("PipelineRun", job_id, trial.namespace)

    deadline = time.monotonic() + 60
    kinds = ("ConfigMap", "TaskRun", "Pod")
    while any(trial.cluster.list(kind, trial.namespace, labels={names.JOB_ID: job_id}).items for kind in kinds):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    with pytest.raises(NotFoundError):
        query.query(job_id, environments=[trial.namespace], board=trial.ports.board, cluster=trial.cluster)


def test_an_image_that_is_missing(trial: Trial, job_ids: dict[str, str]) -> None:
    """Last: Tekton gives it up after a minute."""
    expected = (JobState.FAILED, Cleanup.NOT_NEEDED, "install", Reason.IMAGE_MISSING)
    assert_failed(trial.finished(job_ids["image-missing"]), expected)
