"""Objects of an installation, as Tekton and the chart make them."""

from __future__ import annotations

from typing import Any

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.model.types import Manifest

BUILDS = "platform-builds"
NAMESPACE = "platform"
RELEASE = "modelops"
DIGEST = "sha256:" + "ab" * 32
OTHER_DIGEST = "sha256:" + "cd" * 32
FINISHED = {"True": "Succeeded", "False": "Failed", "Unknown": "Running"}


def run(number: int, *, digest: str = DIGEST, status: str = "Unknown", reason: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": names.installation_run(RELEASE, digest, number),
            "namespace": BUILDS,
            "labels": {names.INSTALLATION: RELEASE},
            "annotations": {names.CONTENT_DIGEST: digest},
        },
        "spec": {"pipelineRef": {"name": "modelops-installation"}},
        "status": {"conditions": [condition(status, reason)]},
    }


def condition(status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": "Succeeded", "status": status, "reason": reason or FINISHED[status], "message": message}


def end(cluster: FakeCluster, name: str, status: str = "False", reason: str = "Cancelled") -> None:
    cluster.set_status("PipelineRun", name, BUILDS, {"conditions": [condition(status, reason)]})


def installation(*, tasks: tuple[str, ...] = ("modelops-image-build", "modelops-deploy")) -> list[Manifest]:
    """The Pipeline and its Tasks."""

    def made(kind: str, name: str, **more: Any) -> Manifest:
        return {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"name": name, "namespace": BUILDS}, **more}

    listed = [{"name": f"step-{number}", "taskRef": {"name": name}} for number, name in enumerate(tasks)]
    return [made("Pipeline", "modelops-installation", spec={"tasks": listed}), *(made("Task", name) for name in tasks)]
