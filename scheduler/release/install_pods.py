"""The pods that may still make objects of a release."""

from __future__ import annotations

from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import SchedulerError
from scheduler.model.types import Manifest

PATIENCE_SECONDS: Final = 90.0
"""A cancelled install pod has its grace period of 30 s; on a lost node it never goes."""
_ENDED: Final = frozenset({"Succeeded", "Failed"})


def at_work(job: str, *, namespace: str, cluster: Cluster) -> tuple[str, ...]:
    """Install pods that are neither gone nor terminated; a question that is not answered counts as yes."""
    labels = {names.JOB_ID: job, names.TEKTON_PIPELINE_TASK: "install"}
    try:
        pods = cluster.list("Pod", namespace, labels=labels)
    except SchedulerError as error:
        return (f"could not be asked for ({error})",)
    return tuple(pod["metadata"]["name"] for pod in pods if _is_at_work(pod))


def jobs(namespace: str, *, cluster: Cluster) -> frozenset[str]:
    """Ids of all jobs in the namespace that have an install pod at work, by one question."""
    labels = {names.JOB_ID: None, names.TEKTON_PIPELINE_TASK: "install"}
    pods = cluster.list("Pod", namespace, labels=labels)
    return frozenset(pod["metadata"]["labels"][names.JOB_ID] for pod in pods if _is_at_work(pod))


def _is_at_work(pod: Manifest) -> bool:
    return (pod.get("status") or {}).get("phase", "Pending") not in _ENDED
