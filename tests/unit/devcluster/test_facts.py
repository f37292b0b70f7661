"""What is read off the machine."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from scheduler.devcluster import checks, facts

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
modelops0\t0000D90A\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0
"""
HYBRID = """\
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
cgroup /sys/fs/cgroup/devices cgroup rw,devices 0 0
cgroup /sys/fs/cgroup/freezer cgroup rw,freezer 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""


def test_routes_are_neither_the_default_nor_ours() -> None:
    assert list(facts.routes(ROUTES)) == [("eth0", IPv4Network("192.0.2.0/24"))]


def test_a_hybrid_of_both_cgroup_versions_counts_as_the_first(tmp_path: Path) -> None:
    version, controllers = facts.cgroups(tmp_path / "cgroup.controllers", HYBRID)
    assert version == 1
    assert set(checks.CONTROLLERS_V1) <= controllers


def test_cgroup_2_names_its_controllers(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    assert facts.cgroups(tmp_path / "cgroup.controllers", "") == (
        2,
        frozenset({"cpuset", "cpu", "io", "memory", "pids"}),
    )


def test_no_cgroups_at_all(tmp_path: Path) -> None:
    assert facts.cgroups(tmp_path / "cgroup.controllers", "tmpfs /tmp tmpfs rw 0 0\n") == (0, frozenset())
