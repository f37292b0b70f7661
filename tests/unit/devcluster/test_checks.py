"""What a machine must have, and what is said where it does not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from scheduler.devcluster import checks
from scheduler.devcluster.addresses import DEFAULT
from scheduler.devcluster.checks import Facts, HeldPort
from scheduler.errors import InvalidInputError

GOOD = Facts(
    machine="x86_64",
    user_id=0,
    cpus=2,
    memory_gib=8,
    disk_gib=40,
    home="/var/lib/modelops",
    is_built=False,
    cgroup_version=2,
    controllers=frozenset({"cpu", "cpuset", "memory", "pids", "io"}),
    has_overlay=True,
    has_bridge_filter=True,
    has_nf_tables=True,
    has_ip_set=True,
    settings_writable=True,
    network=DEFAULT,
    routes=(("eth0", IPv4Network("192.0.2.0/24")),),
)

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "user": ({"user_id": 1000}, "sudo"),
    "processor": ({"machine": "s390x"}, "s390x was never tried"),
    "CPUs": ({"cpus": 1}, "CPUs: 1 of at least 2"),
    "memory": ({"memory_gib": 3.9}, "memory: 3.9 GiB of at least 6"),
    "disk": ({"disk_gib": 12.0}, "disk: 12.0 GiB free of at least 20: free some, or set MODELOPS_HOME"),
    "no cgroups": ({"cgroup_version": 0, "controllers": frozenset()}, "cgroups: none are mounted"),
    "cgroup 2": ({"controllers": frozenset({"cpu", "pids"})}, "version 2 without cpuset, memory: enable"),
    "cgroup 1": ({"cgroup_version": 1}, "version 1 without devices, freezer: enable"),
    "overlay": ({"has_overlay": False}, "modprobe overlay"),
    "bridges": ({"has_bridge_filter": False}, "modprobe br_netfilter"),
    "nf_tables": ({"has_nf_tables": False}, "CONFIG_NF_TABLES"),
    "ipset": ({"has_ip_set": False}, "modprobe ip_set"),
    "settings": ({"settings_writable": False}, "--privileged"),
    "kubernetes": ({"other_kubernetes": ("k3s-server (process 7)",)}, "k3s-server (process 7) runs here"),
    "routes": (
        {"routes": (("wg0", IPv4Network("10.0.0.0/8")), ("x", IPv4Network("10.218.0.0/16")))},
        "10.217.0.0/16 is in use here (10.0.0.0/8 by wg0)",
    ),
    "ports": (
        {"held_ports": (HeldPort(process="registry", address="127.0.0.1", port=5000, holder="nginx (process 9)"),)},
        "port: registry needs 127.0.0.1:5000, which nginx (process 9) has: end that program",
    ),
}


def test_a_good_machine_has_no_problem() -> None:
    assert checks.problems(GOOD) == ()
    checks.require(GOOD)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_with_its_remedy(name: str) -> None:
    change, words = FAULTS[name]
    (problem,) = checks.problems(replace(GOOD, **change))
    assert words in str(problem)


def test_other_systems_are_refused_by_name() -> None:
    checks.require_linux("Linux")
    with pytest.raises(InvalidInputError, match="needs Linux, this is Darwin: use a virtual machine"):
        checks.require_linux("Darwin")


def test_all_faults_are_said_at_once() -> None:
    both = replace(GOOD, cpus=1, has_overlay=False)
    with pytest.raises(InvalidInputError) as caught:
        checks.require(both)
    assert caught.value.summary == "this machine cannot carry the local cluster: 2 things to put right"
    assert [problem.pointer for problem in caught.value.problems] == ["CPUs", "kernel"]


def test_less_disk_is_enough_once_everything_is_built() -> None:
    assert checks.problems(replace(GOOD, disk_gib=12, is_built=True)) == ()


def test_the_network_that_is_proposed_is_free() -> None:
    taken = (("a", IPv4Network("10.217.3.0/24")), ("b", IPv4Network("10.218.0.0/15")))
    (problem,) = checks.problems(replace(GOOD, routes=taken))
    assert problem.message.endswith("MODELOPS_CLUSTER_NETWORK=10.220.0.0/16")
