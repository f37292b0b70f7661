"""`down` leaves nothing on the machine, and `up` brings everything back. Runs first: others hold connections."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scheduler import devcluster
from scheduler.devcluster import addresses, command, current, firewall, kernel, leftovers, network, processes, startup

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(current.is_meant(os.environ), reason="about the local cluster, not the reader's own"),
]


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
