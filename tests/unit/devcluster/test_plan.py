"""The plan: which processes run, with which files, on which ports."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlparse

import pytest

from scheduler.devcluster import certificates, configuration, plan, toolchain
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.home import Home

MACHINE = Machine(home=Home(root=Path("/home/of/cluster")), addresses=Addresses())
PROCESSES = plan.processes(MACHINE)


def test_processes_start_in_the_order_in_which_they_need_each_other() -> None:
    assert tuple(process.name for process in PROCESSES) == plan.ORDER


def test_every_program_is_built_or_the_registry() -> None:
    built = {str(MACHINE.home.bin / program.name) for program in toolchain.programs()}
    assert {process.command[0] for process in PROCESSES} - built == {MACHINE.registry}


def test_no_two_processes_share_a_port() -> None:
    listened = [port for process in PROCESSES for port in process.ports]
    assert len(listened) == len(set(listened))


def test_everything_listens_on_loopback_or_the_bridge_only() -> None:
    allowed = {"127.0.0.1", str(MACHINE.addresses.gateway)}
    assert {address for process in PROCESSES for address, _ in process.ports} <= allowed
    asked = [urlparse(process.readiness.url).hostname for process in PROCESSES if process.readiness.url]
    assert set(asked) <= allowed


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_process_can_be_asked_whether_it_is_ready(process: plan.Process) -> None:
    assert process.readiness.url or process.readiness.socket


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_file_that_a_process_reads_is_written_by_up(process: plan.Process) -> None:
    home = MACHINE.home
    subjects = certificates.subjects(MACHINE.addresses)
    pki = {home.pki / f"{one.name}.{kind}" for one in subjects for kind in ("crt", "key")}
    pki |= {home.pki / f"{one.name}.kubeconfig" for one in subjects if one.kubeconfig}
    pki |= {home.pki / name for name in ("ca.crt", "ca.key", "service-accounts.key", "service-accounts.pub")}
    written = pki | set(configuration.files(MACHINE))
    named = {Path(word.split("=", 1)[-1]) for word in process.command[1:] if str(home.cluster) in word}
    inputs = {path for path in named if path.suffix}
    assert inputs | set(process.files) <= written


def test_another_network_moves_every_address_of_the_bridge() -> None:
    moved = Addresses.from_environ({"MODELOPS_CLUSTER_NETWORK": "10.99.0.0/16"})
    machine = Machine(home=MACHINE.home, addresses=moved)
    shown = repr(plan.processes(machine)) + repr(configuration.files(machine))
    assert "10.217." not in shown
    assert moved.gateway == IPv4Address("10.99.0.1")
