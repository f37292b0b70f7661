"""`remove`: what the platform's own release does not hold goes before it: the applications, and the runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import NotFoundError, SchedulerError, UnavailableError
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
    found = ports.cluster.list("PipelineRun", order.build_namespace, labels={names.INSTALLATION: order.release})
    cancelling.cancel(found, deadline=deadline, ports=ports)
    _until_none(lambda: _release(applications, order, helm), deadline=deadline, ports=ports)
    _until_none(lambda: remains(applications, order, ports.cluster), deadline=deadline, ports=ports)
    _until_none(lambda: _run_records(order, ports.cluster), deadline=deadline, ports=ports)
    return f"nothing of {applications} and of the installation's runs is left"


def _until_none(left: Callable[[], list[str]], *, deadline: float, ports: Ports) -> None:
    """Ask again until nothing is left; what cannot be asked counts as left, with the words of the refusal."""
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
        if ports.clock() >= deadline:
            raise UnavailableError(
                f"not removed in time: {', '.join(found)}; remove it by hand or try again, or leave it with "
                "`helm uninstall --no-hooks`"
            )
        ports.pause()


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
    labels = {"app.kubernetes.io/instance": order.release, _TEMPLATE_HASH: None}
    for kind in _MADE_BY_CONTROLLERS:
        found += [(kind, item) for item in cluster.list(kind, order.namespace, labels=labels)]
    return [f"{kind}/{item['metadata']['name']}" for kind, item in found]


def _is_kept(item: Manifest) -> bool:
    key, value = _KEPT
    return view.text(item, "metadata", "annotations", key) == value


def _run_records(order: Order, cluster: Cluster) -> list[str]:
    labels = {names.INSTALLATION: order.release}
    for run in cluster.list("PipelineRun", order.build_namespace, labels=labels):
        if "deletionTimestamp" not in run["metadata"]:
            with suppress(NotFoundError):
                cluster.delete("PipelineRun", run["metadata"]["name"], order.build_namespace)
    left = cluster.list("PipelineRun", order.build_namespace, labels=labels)
    return [f"PipelineRun/{run['metadata']['name']}" for run in left]
