"""Kinds of objects that this project touches, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scheduler.errors import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    api_version: str
    plural: str
    namespaced: bool = True


_TABLE: Final = {
    "v1": {
        "ConfigMap": "configmaps",
        "Endpoints": "endpoints",
        "Event": "events",
        "LimitRange": "limitranges",
        "Namespace": "namespaces",
        "Node": "nodes",
        "PersistentVolume": "persistentvolumes",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "ResourceQuota": "resourcequotas",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {
        "DaemonSet": "daemonsets",
        "Deployment": "deployments",
        "ReplicaSet": "replicasets",
        "StatefulSet": "statefulsets",
    },
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "batch/v1": {"Job": "jobs", "CronJob": "cronjobs"},
    "coordination.k8s.io/v1": {"Lease": "leases"},
    "discovery.k8s.io/v1": {"EndpointSlice": "endpointslices"},
    "networking.k8s.io/v1": {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "rbac.authorization.k8s.io/v1": {
        "ClusterRole": "clusterroles",
        "ClusterRoleBinding": "clusterrolebindings",
        "Role": "roles",
        "RoleBinding": "rolebindings",
    },
    "scheduling.k8s.io/v1": {"PriorityClass": "priorityclasses"},
    "tekton.dev/v1": {
        "Pipeline": "pipelines",
        "PipelineRun": "pipelineruns",
        "Task": "tasks",
        "TaskRun": "taskruns",
    },
}
_CLUSTER_SCOPED: Final = frozenset(
    {"Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "PriorityClass"}
)

KINDS: Final = {
    kind: Kind(api_version=api_version, plural=plural, namespaced=kind not in _CLUSTER_SCOPED)
    for api_version, kinds in _TABLE.items()
    for kind, plural in kinds.items()
}


def path(kind: str, namespace: str = "", name: str = "") -> str:
    """The URL path of a collection, or of the object `name` in it.

    >>> path("Pod", "staging", "a")
    '/api/v1/namespaces/staging/pods/a'
    >>> path("TaskRun")
    '/apis/tekton.dev/v1/taskruns'
    """
    entry = known(kind)
    root = "/api/v1" if entry.api_version == "v1" else f"/apis/{entry.api_version}"
    scope = f"/namespaces/{namespace}" if namespace and entry.namespaced else ""
    return f"{root}{scope}/{entry.plural}" + (f"/{name}" if name else "")


def known(kind: str) -> Kind:
    if kind not in KINDS:
        raise NotFoundError(f"kind '{kind}' is not one that this program knows ({', '.join(sorted(KINDS))})")
    return KINDS[kind]
