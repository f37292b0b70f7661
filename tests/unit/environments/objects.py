"""A platform with one environment, as its chart, helm and the API server keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scheduler import assets, names
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.port import Listing, OwnAccessError
from scheduler.environments.changing import Ports
from scheduler.environments.claims import POD_SECURITY
from scheduler.helm import chart
from scheduler.helm.fake import FakeHelm, Release
from scheduler.helm.port import ReleaseState, ReleaseStatus
from scheduler.model.types import Manifest, Values

CHART = assets.charts() / "modelops"
INSTALLED = chart.named(CHART)
NAMESPACE = "scoring"
RELEASE = "one"
PLATFORM = "scoring.one"
JOB = "jaaaaaaaaaaaaaaaaaaaa"


class Shy(FakeCluster):
    """An API server that lets nobody see objects of some kinds."""

    hidden: frozenset[str] = frozenset()

    def list(
        self, kind: str, namespace: str = "", *, labels: Mapping[str, str | None] | None = None, may_lag: bool = False
    ) -> Listing:
        if kind in self.hidden:
            raise OwnAccessError(f"{kind} is forbidden")
        return super().list(kind, namespace, labels=labels, may_lag=may_lag)


class Overtaken(FakeCluster):
    """An API server where another platform takes each namespace as soon as somebody has looked at it."""

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        found = super().get(kind, name, namespace)
        if kind == "Namespace":
            self.patch(kind, name, "", {"metadata": {"labels": {names.PLATFORM: "theirs.two"}}})
        return found


def release(values: Values, *, state: ReleaseState = ReleaseState.DEPLOYED, of: str = INSTALLED) -> Release:
    status = ReleaseStatus(name=RELEASE, namespace=NAMESPACE, state=state, revision=1, chart=of)
    return Release(status=status, values=values, labels={}, manifests=())


def ports(values: Values | None = None, *, cluster: FakeCluster | None = None, **of: Any) -> Ports:
    """A platform whose release was given these values."""
    helm = FakeHelm()
    helm.put(release(values or {}, **of))
    return Ports(cluster=cluster or FakeCluster(), helm=helm, chart=CHART)


def namespace(name: str, *, platform: str = "", **labels: str) -> dict[str, Any]:
    own = {names.ENVIRONMENT: name, names.PLATFORM: platform, POD_SECURITY: "restricted"} if platform else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**own, **labels}}}


def account(name: str, environment: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": environment, "labels": labels}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def job(name: str, environment: str, *, status: str = "Unknown") -> dict[str, Any]:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": name, "namespace": environment, "labels": {names.JOB_ID: name}},
        "status": {"conditions": [{"type": "Succeeded", "status": status}]},
    }


def of_release(kind: str, job_: str, environment: str) -> dict[str, Any]:
    """A Deployment or a batch Job that helm made for a job."""
    metadata = {"name": f"{job_}-flow", "namespace": environment, "labels": {names.RELEASE: job_}}
    return {"apiVersion": "apps/v1" if kind == "Deployment" else "batch/v1", "kind": kind, "metadata": metadata}


def quota(name: str, environment: str, *, used: Mapping[str, str], hard: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name, "namespace": environment},
        "spec": {"hard": dict(hard)},
        "status": {"used": dict(used), "hard": dict(hard)} if used else {},
    }


def furnish(cluster: FakeCluster, environment: str, *, platform: str = PLATFORM) -> None:
    """All that an environment has, a finished job and an unfinished one included."""
    cluster.put(namespace(environment, platform=platform))
    for name in (names.RUNNER_ACCOUNT, names.SCORING_ACCOUNT, "default"):
        cluster.put(account(name, environment))
    cluster.put(job(JOB, environment))
    cluster.put(job("jbbbbbbbbbbbbbbbbbbbb", environment, status="True"))
    used, hard = {"pods": "3", "requests.cpu": "1500m"}, {"pods": "20", "requests.cpu": "2"}
    cluster.put(quota("modelops-jobs", environment, used=used, hard=hard))
    cluster.put(quota("modelops-tasks", environment, used={}, hard={"pods": "7"}))
    pipeline = {"name": names.PIPELINE_NAME, "namespace": environment}
    cluster.put({"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": pipeline})
    for name in ("flights", "results"):
        labels = {names.DATA_CHANNEL: name}
        metadata = {"name": names.channel_object(name), "namespace": environment, "labels": labels}
        cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": environment}})
