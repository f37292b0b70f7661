"""Objects that `up` puts into the cluster besides Tekton's: rights of the node's own programs, storage. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from scheduler.devcluster.home import Home
from scheduler.devcluster.kubectl import Manifest

STORAGE_CLASS: Final = "modelops-local"
VOLUMES: Final = 20
VOLUME_SIZE: Final = "2Gi"
_PART_OF: Final = {"app.kubernetes.io/part-of": "modelops-local-cluster"}
_READ: Final = ["get", "list", "watch"]


def volume_names() -> tuple[str, ...]:
    return tuple(f"modelops-{number:02d}" for number in range(1, VOLUMES + 1))


def base(home: Home) -> tuple[Manifest, ...]:
    """StorageClass, volumes and the rights of CoreDNS and the policy controller."""
    return (
        *_reader("coredns", core=["namespaces", "pods", "services"], discovery=["endpointslices"]),
        *_reader("netpol", core=["namespaces", "nodes", "pods"], networking=["networkpolicies"]),
        _storage_class(),
        *(_volume(home, name) for name in volume_names()),
    )


def state_name(name: str) -> str:
    """Name of the ConfigMap in kube-system that records which set of objects was applied."""
    return f"modelops-local-cluster-{name}"


def state(name: str, digest: str) -> Manifest:
    """The record that the set `name` was applied, so that a second `up` knows that it has nothing to do."""
    metadata = {"name": state_name(name), "namespace": "kube-system", "labels": _PART_OF}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"digest": digest}}


def digest(documents: Sequence[Manifest]) -> str:
    """The same for equal documents in equal order."""
    return hashlib.sha256(json.dumps(list(documents), sort_keys=True).encode()).hexdigest()


def _storage_class() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "labels": _PART_OF,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate",
        "reclaimPolicy": "Retain",
    }


def _volume(home: Home, name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": _PART_OF},
        "spec": {
            "capacity": {"storage": VOLUME_SIZE},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": STORAGE_CLASS,
            "hostPath": {"path": str(home.volumes / name), "type": "Directory"},
        },
    }


def _reader(name: str, **resources: list[str]) -> tuple[Manifest, Manifest]:
    """A user of that name may read these resources, by API group, in every namespace."""
    groups = {"core": "", "discovery": "discovery.k8s.io", "networking": "networking.k8s.io"}
    rules: list[dict[str, Any]] = [
        {"apiGroups": [groups[group]], "resources": kinds, "verbs": _READ} for group, kinds in resources.items()
    ]
    api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    metadata = {"metadata": {"name": f"modelops:{name}", "labels": _PART_OF}}
    role = {**api, "kind": "ClusterRole", **metadata, "rules": rules}
    user = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": f"modelops:{name}"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"modelops:{name}"}
    binding = {**api, "kind": "ClusterRoleBinding", **metadata, "roleRef": reference, "subjects": [user]}
    return role, binding
