"""Objects that `up` puts into the cluster."""

from __future__ import annotations

from pathlib import Path

from scheduler.devcluster import certificates, manifests
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.home import Home
from scheduler.devcluster.kubectl import Manifest

HOME = Home(root=Path("/home/of/cluster"))
BASE = manifests.base(HOME)


def of_kind(kind: str) -> list[Manifest]:
    return [manifest for manifest in BASE if manifest["kind"] == kind]


def test_volumes_bind_at_once_and_keep_their_content() -> None:
    (storage_class,) = of_kind("StorageClass")
    assert storage_class["volumeBindingMode"] == "Immediate"
    assert storage_class["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    volumes = of_kind("PersistentVolume")
    assert len(volumes) == manifests.VOLUMES
    assert {volume["spec"]["persistentVolumeReclaimPolicy"] for volume in volumes} == {"Retain"}
    assert volumes[0]["spec"]["hostPath"] == {"path": "/home/of/cluster/volumes/modelops-01", "type": "Directory"}


def test_the_nodes_own_programs_may_read_and_nothing_else() -> None:
    verbs = {verb for role in of_kind("ClusterRole") for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_rights_are_given_to_users_that_have_a_certificate() -> None:
    users = {subject["name"] for binding in of_kind("ClusterRoleBinding") for subject in binding["subjects"]}
    assert users <= {subject.user for subject in certificates.subjects(Addresses())}


def test_equal_documents_have_equal_digests() -> None:
    assert manifests.digest(BASE) == manifests.digest(manifests.base(HOME))
    assert manifests.digest(BASE) != manifests.digest(BASE[1:])
