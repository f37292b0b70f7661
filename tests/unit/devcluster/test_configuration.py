"""Configuration files, read back as the programs read them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml

from scheduler.devcluster import configuration
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.home import Home

HOME = Home(root=Path("/home/of/cluster"))
FILES = configuration.files(Machine(home=HOME, addresses=Addresses(), runc="/bin/runc"))


def text(name: str) -> str:
    return FILES[HOME.configuration / name]


def containerd() -> dict[str, Any]:
    return dict(tomllib.loads(text("containerd.toml"))["plugins"])


def test_containers_start_without_the_right_to_lower_oom_scores() -> None:
    assert containerd()["io.containerd.cri.v1.runtime"]["restrict_oom_score_adj"] is True


def test_network_namespaces_lie_where_down_looks_for_them() -> None:
    assert containerd()["io.containerd.cri.v1.runtime"]["netns_mounts_under_state_dir"] is True
    assert tomllib.loads(text("containerd.toml"))["state"].startswith(str(HOME.run))


def test_the_sandbox_image_comes_from_our_registry() -> None:
    assert containerd()["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == "10.217.0.1:5000/modelops/pause:1"


def test_both_names_of_the_registry_are_pulled_by_plain_http() -> None:
    for name in ("10.217.0.1:5000", "localhost:5000"):
        hosts = tomllib.loads(text(f"certs.d/{name}/hosts.toml"))
        assert hosts["server"] == "http://10.217.0.1:5000"
        assert hosts["host"] == {"http://10.217.0.1:5000": {"capabilities": ["pull", "resolve"]}}


def test_pods_hang_on_the_bridge_and_reach_the_world_through_it() -> None:
    bridge = json.loads(text("cni/10-modelops.conflist"))["plugins"][0]
    assert (bridge["bridge"], bridge["isGateway"], bridge["ipMasq"], bridge["hairpinMode"]) == (
        "modelops0", True, True, True,
    )  # fmt: skip
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.217.0.0/20", "gateway": "10.217.0.1"}]]


def test_the_kubelet_runs_on_cgroup_1_and_2_with_swap_and_asks_our_dns() -> None:
    kubelet = yaml.safe_load(text("kubelet.yaml"))
    assert kubelet["cgroupDriver"] == "cgroupfs"
    assert kubelet["failCgroupV1"] is False
    assert kubelet["failSwapOn"] is False
    assert kubelet["clusterDNS"] == ["10.217.0.1"]
    assert kubelet["authentication"]["anonymous"]["enabled"] is False


def test_the_two_listeners_of_the_registry_share_storage_and_cache_nothing() -> None:
    bridge, loopback = (yaml.safe_load(text(f"{name}.yaml")) for name in ("registry", "registry-loopback"))
    assert bridge["storage"] == loopback["storage"]
    assert "cache" not in bridge["storage"]
    assert bridge["storage"]["delete"] == {"enabled": True}
    assert (bridge["http"]["addr"], loopback["http"]["addr"]) == ("10.217.0.1:5000", "127.0.0.1:5000")


def test_the_machines_conntrack_limits_are_left_alone() -> None:
    conntrack = yaml.safe_load(text("kube-proxy.yaml"))["conntrack"]
    assert (conntrack["maxPerCore"], conntrack["min"]) == (0, 0)


def test_dns_binds_the_bridge_only() -> None:
    assert "bind 10.217.0.1\n" in text("Corefile")
