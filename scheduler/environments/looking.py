"""Looking at environments, with the rights of whoever looks: what may not be seen is None, and hides nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler import names
from scheduler.cluster.port import Cluster, Listing
from scheduler.environments import claims, view
from scheduler.environments.view import Environment, Facts
from scheduler.errors import ForbiddenError, NotFoundError
from scheduler.model.types import Manifest


def listed(*, cluster: Cluster) -> tuple[Environment, ...]:
    """The environments of every platform, by platform and name, without Pipelines and channels."""
    found = [
        view.project(_facts(namespace, cluster=cluster))
        for namespace in cluster.list("Namespace", labels={names.ENVIRONMENT: None})
    ]
    return tuple(sorted(found, key=lambda one: (one.platform, one.name)))


def shown(name: str, *, cluster: Cluster) -> Environment:
    """All of one; NotFoundError when the namespace is none's environment."""
    try:
        namespace = cluster.get("Namespace", name)
    except NotFoundError as error:
        raise NotFoundError(
            f"there is no namespace '{name}'; `modelops environment list` shows what there is"
        ) from error
    if names.ENVIRONMENT not in (namespace["metadata"].get("labels") or {}):
        raise NotFoundError(
            f"the namespace '{name}' is no environment: it lacks the label {names.ENVIRONMENT}; `modelops environment "
            f"add {name} --adopt` makes it one"
        )
    return view.project(_facts(namespace, cluster=cluster, is_whole=True))


def unfinished(environment: str, *, cluster: Cluster) -> tuple[str, ...]:
    """The jobs there that have not ended."""
    return view.unfinished(cluster.list("PipelineRun", environment, labels={names.JOB_ID: None}))


def leaked(environment: str, *, cluster: Cluster) -> tuple[str, ...]:
    """The jobs of which a Deployment or a Job is still there, whether they have ended or not."""
    found = {
        claims.labels_of(item)[names.RELEASE]
        for kind in ("Deployment", "Job")
        for item in cluster.list(kind, environment, labels={names.RELEASE: None})
    }
    return tuple(sorted(found))


def _facts(namespace: Manifest, *, cluster: Cluster, is_whole: bool = False) -> Facts:
    name = namespace["metadata"]["name"]

    def seen(kind: str, label: str = "") -> Listing | None:
        labels: Mapping[str, str | None] | None = {label: None} if label else None
        try:
            return cluster.list(kind, name, labels=labels, may_lag=True)
        except ForbiddenError:
            return None

    return Facts(
        namespace=namespace,
        runs=seen("PipelineRun", names.JOB_ID),
        quotas=seen("ResourceQuota"),
        accounts=seen("ServiceAccount"),
        pipelines=seen("Pipeline") if is_whole else None,
        channels=seen("ConfigMap", names.DATA_CHANNEL) if is_whole else None,
    )
