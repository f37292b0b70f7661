"""A job's release in a fake cluster, as helm and the controllers would make it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.errors import NotFoundError
from scheduler.helm.fake import FakeHelm, Release
from scheduler.helm.port import ReleaseState
from scheduler.model import canonical
from scheduler.model.types import Manifest, Values
from scheduler.preprocess import values_text
from scheduler.release.ports import Ports
from scheduler.release.stop import Stop

JOB = "j" + "a" * 20
NAMESPACE = "staging"
FLOW = f"{JOB}-flow"
SERVICE = f"{JOB}-pmml-6e16db10"
VALUES: Values = {"global": {"job": {"id": JOB}}, "scoring-flow": {"threshold": 0.5, "text": "1e3"}}
DOCUMENTS = [{"kind": "ScoringPipeline", "metadata": {"name": "p"}}]
LABELS = {names.RELEASE: JOB}


class Clock:
    """Seconds that pass only when something pauses: tests wait for nothing."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


class InstantStop(Stop):
    """Pauses by turning the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def pause(self, seconds: float) -> None:
        self.check()
        self._clock.now += seconds
        self.check()


def manifest(kind: str, name: str, *, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {**LABELS, **(labels or {})}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def rendered(_release: str, _values: Values, _namespace: str) -> list[Manifest]:
    flow, service = {names.COMPONENT: "flow"}, {names.COMPONENT: "scoring-server-pmml", names.MODEL: "delay"}
    return [
        manifest("ConfigMap", FLOW, labels=flow),
        manifest("Job", FLOW, labels=flow, spec={"completions": 1}),
        manifest("Deployment", SERVICE, labels=service, spec={"replicas": 1}),
        manifest("Service", SERVICE, labels=service),
    ]


class HelmOnCluster(FakeHelm):
    """A fake helm whose releases are seen in a fake cluster: its record, and the objects that the chart makes."""

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__(render=rendered, on_install=self._make, on_uninstall=self._unmake)
        self.cluster = cluster
        self.keeps: set[str] = set()
        """Kinds that an uninstall leaves behind."""

    def put(self, release: Release, *, state: ReleaseState | None = None) -> Release:
        changed = super().put(release, state=state)
        status = changed.status
        labels = {"owner": "helm", "name": status.name, "status": status.state.value, **changed.labels}
        name = f"sh.helm.release.v1.{status.name}.v1"
        self.cluster.put(
            {"kind": "Secret", "metadata": {"name": name, "namespace": status.namespace, "labels": labels}}
        )
        return changed

    def _make(self, release: Release) -> None:
        for item in release.manifests:
            self.cluster.put(item)

    def _unmake(self, release: Release) -> None:
        for item in release.manifests:
            if item["kind"] not in self.keeps:
                try:
                    self.cluster.delete(item["kind"], item["metadata"]["name"], NAMESPACE)
                except NotFoundError:
                    continue
        self.cluster.delete("Secret", f"sh.helm.release.v1.{release.status.name}.v1", NAMESPACE)


def ports(cluster: FakeCluster, helm: FakeHelm) -> Ports:
    clock = Clock()
    return Ports(cluster=cluster, helm=helm, stop=InstantStop(clock), clock=clock)


def write_input(folder: Path) -> tuple[str, str]:
    """(IR digest, Values digest) of the files that this writes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ir.json").write_bytes(canonical.json_bytes(DOCUMENTS))
    (folder / "values.yaml").write_text(values_text.to_yaml(VALUES))
    return canonical.digest(DOCUMENTS), canonical.digest(VALUES)


def pod(name: str, *, component: str = "flow", phase: str = "Running", **status: Any) -> dict[str, Any]:
    labels = {names.COMPONENT: component}
    if component != "flow":
        labels[names.MODEL] = "delay"
    containers = [
        {"name": "flow" if component == "flow" else "server", "resources": {"limits": {"memory": "1Gi"}}},
    ]
    return manifest("Pod", name, labels=labels, spec={"containers": containers}, status={"phase": phase, **status})


def ended_flow(
    name: str, *, index: int = 0, code: int = 0, message: str | dict[str, Any] = "", **more: Any
) -> dict[str, Any]:
    """A flow pod that is over."""
    text = message if isinstance(message, str) else json.dumps(message)
    terminated = {"exitCode": code, "message": text, "finishedAt": "2026-01-01T00:00:00Z", **more}
    made = pod(
        name,
        phase="Failed" if code else "Succeeded",
        containerStatuses=[{"name": "flow", "state": {"terminated": terminated}}],
    )
    made["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] = str(index)
    return made


def flow_job(*conditions: str, completions: int = 1) -> dict[str, Any]:
    return manifest(
        "Job",
        FLOW,
        labels={names.COMPONENT: "flow"},
        spec={"completions": completions},
        status={
            "conditions": [
                {"type": type_, "status": "True", "reason": "Why", "message": "words"} for type_ in conditions
            ]
        },
    )
