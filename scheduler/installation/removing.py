"""`remove`: what the platform's own release does not hold goes before it: applications, runs, Jobs of other hooks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ForbiddenError, NotFoundError, SchedulerError, UnavailableError
from scheduler.helm.port import Helm
from scheduler.installation import cancelling
from scheduler.installation.cancelling import Ports
from scheduler.model.types import Manifest
from scheduler.release.stop import StoppedError
from scheduler.tekton import view

KINDS: Final = ("ConfigMap", "Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Service")
"""What the face `applications` renders; a test compares them with the charts."""
_MADE_BY_CONTROLLERS: Final = ("ReplicaSet", "Pod")
_RELEASE: Final = "meta.helm.sh/release-name"
_KEPT: Final = ("helm.sh/resource-policy", "keep")
_INSTANCE: Final = "app.kubernetes.io/instance"
_HOOK: Final = "helm.sh/hook"
_OWN_HOOK: Final = "pre-delete"
_JOB_NAME: Final = "batch.kubernetes.io/job-name"
"""On the pods of a Job."""
_TEMPLATE_HASH: Final = "pod-template-hash"
"""On the ReplicaSets of Deployments and their pods; a hook's pod has none."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    release: str
    """The platform's name."""
    namespace: str
    build_namespace: str
    seconds: float


def remove(order: Order, *, helm: Helm, ports: Ports) -> str:
    """What was done, in a sentence; UnavailableError says what is left when the time is over.

    Volume claims that are to be kept stay, and their data with them.
    """
    deadline = ports.clock() + order.seconds
    applications = names.applications_release(order.release)
    # first, because `start` would begin another run
    _until_none(lambda: _hooks(order, ports.cluster), deadline=deadline, ports=ports)
    found = ports.cluster.list("PipelineRun", order.build_namespace, labels={names.INSTALLATION: order.release})
    cancelling.cancel(found, deadline=deadline, ports=ports)
    _until_none(lambda: _release(applications, order, helm), deadline=deadline, ports=ports)
    _until_none(lambda: remains(applications, order, ports.cluster), deadline=deadline, ports=ports)
    _until_none(lambda: _lease(order, ports.cluster), deadline=deadline, ports=ports)
    _until_none(lambda: _run_records(order, ports.cluster), deadline=deadline, ports=ports)
    return f"nothing of {applications} and of the installation's runs is left"


def _until_none(left: Callable[[], list[str]], *, deadline: float, ports: Ports) -> None:
    """Ask again until nothing is left; what cannot be asked counts as left, with the words of the refusal.

    What is left is logged whenever it is something else: whoever is ended from outside has said what it waited for.
    """
    told: list[str] = []
    while True:
        ports.stop.check()
        try:
            found = left()
        except StoppedError:
            raise
        except SchedulerError as error:
            ports.stop.check()  # helm fails when it is terminated
            found = [str(error)]
        if not found:
            return
        if found != told:
            _log.info("waiting for %s", ", ".join(found))
            told = found
        if ports.clock() >= deadline:
            raise UnavailableError(
                f"not removed in time: {', '.join(found)}; remove it by hand or try again, or leave it with "
                "`helm uninstall --no-hooks`"
            )
        ports.pause()


def _hooks(order: Order, cluster: Cluster) -> list[str]:
    """Other hooks' Jobs and their pods: those that failed have stayed with their words, and helm forgets them."""
    labels = {_INSTANCE: order.release}
    try:
        jobs = cluster.list("Job", order.namespace, labels=labels).items
    except ForbiddenError as error:
        # roles as 0.1.0 made them; an administrator's release of prerequisites may still be that old
        _log.warning("Jobs of hooks that failed stay: %s", error)
        return []
    going = [job for job in jobs if view.text(job, "metadata", "annotations", _HOOK) not in {"", _OWN_HOOK}]
    for job in going:
        with suppress(NotFoundError):
            cluster.delete("Job", job["metadata"]["name"], order.namespace)
    staying = {job["metadata"]["name"] for job in jobs} - {job["metadata"]["name"] for job in going}
    pods = [
        pod
        for pod in cluster.list("Pod", order.namespace, labels={**labels, _JOB_NAME: None})
        if pod["metadata"]["labels"][_JOB_NAME] not in staying
    ]
    return [f"{kind}/{item['metadata']['name']}" for kind, found in (("Job", going), ("Pod", pods)) for item in found]


def _release(applications: str, order: Order, helm: Helm) -> list[str]:
    with suppress(NotFoundError):
        _log.info("uninstalling %s", applications)
        helm.uninstall(applications, namespace=order.namespace)
    return []


def remains(applications: str, order: Order, cluster: Cluster) -> list[str]:
    """Kind and name of each object of the release that is still there."""
    found = [
        (kind, item)
        for kind in KINDS
        for item in cluster.list(kind, order.namespace)
        if view.text(item, "metadata", "annotations", _RELEASE) == applications and not _is_kept(item)
    ]
    labels = {_INSTANCE: order.release, _TEMPLATE_HASH: None}
    for kind in _MADE_BY_CONTROLLERS:
        found += [(kind, item) for item in cluster.list(kind, order.namespace, labels=labels)]
    return [f"{kind}/{item['metadata']['name']}" for kind, item in found]


def _is_kept(item: Manifest) -> bool:
    key, value = _KEPT
    return view.text(item, "metadata", "annotations", key) == value


def _lease(order: Order, cluster: Cluster) -> list[str]:
    """The janitor's, which is no chart's: its servers, which are gone, have made it."""
    platform = f"{order.namespace}.{order.release}"
    try:
        cluster.delete("Lease", names.janitor_lease(platform), order.namespace)
    except NotFoundError:
        pass
    except ForbiddenError as error:
        # roles as an older release of prerequisites made them
        _log.warning("the janitor's Lease stays: %s", error)
    return []


def _run_records(order: Order, cluster: Cluster) -> list[str]:
    labels = {names.INSTALLATION: order.release}
    for run in cluster.list("PipelineRun", order.build_namespace, labels=labels):
        if "deletionTimestamp" not in run["metadata"]:
            with suppress(NotFoundError):
                cluster.delete("PipelineRun", run["metadata"]["name"], order.build_namespace)
    left = cluster.list("PipelineRun", order.build_namespace, labels=labels)
    return [f"PipelineRun/{run['metadata']['name']}" for run in left]
