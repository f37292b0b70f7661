"""`down` leaves nothing on the machine, and `up` brings everything back, also when it or what it started was killed.

Runs first: others hold connections and pods. All moments and all components: `make prove`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scheduler import command, devcluster
from scheduler.devcluster import addresses, firewall, kernel, leftovers, network, processes, startup
from tests import real_cluster
from tests.e2e import cluster_kills

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.runs_first,
    real_cluster.LOCAL_ONLY,
]

SEED = 4
KILLED = ("etcd", "kube-apiserver", "containerd", "tekton-webhook")
"""Those on which most depends; two others are killed in test_local_cluster."""


def test_down_leaves_nothing_and_up_brings_everything_back() -> None:
    machine = startup.machine(os.environ)
    kubectl = startup.kubectl_of(machine.home)
    kubectl("create", "configmap", "survivor", "--from-literal=word=still here")

    devcluster.down(lambda line: None)
    try:
        assert processes.scan(machine.home) == ()
        assert leftovers.mounts(machine.home) == ()
        assert firewall.leftovers() == ()
        assert network.addresses_of(addresses.BRIDGE) == ()
        assert str(machine.addresses.services) not in command.run(["ip", "route"], limit_seconds=10)
        assert not machine.home.run.exists()
        assert not kernel.is_changed(machine.home)
        assert not list(Path("/sys/fs/cgroup").glob("**/kubepods"))
    finally:
        status = devcluster.up(lambda line: None)
        word = kubectl("get", "configmap", "survivor", "--output=jsonpath={.data.word}")
        kubectl("delete", "configmap", "survivor")

    assert status.is_ready
    assert word == "still here"


@pytest.mark.parametrize("moment", cluster_kills.moments(SEED, 2))
def test_up_that_was_killed_is_finished_by_the_next(moment: float) -> None:
    cluster_kills.kill_up(moment)


def test_a_killed_component_is_back_with_the_next_up() -> None:
    machine = startup.machine(os.environ)
    for name in KILLED:
        cluster_kills.kill(machine, name)
