"""Takes the local cluster down, so that the machine is as before: only programs and, unless purged, data stay."""

from __future__ import annotations

import time

from scheduler.devcluster import firewall, kernel, leftovers, network, plan, processes
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.home import Home
from scheduler.devcluster.toolchain import Tell

_BEFORE_PODS = ("kubelet", "kube-controller-manager", "kube-scheduler")
"""Ended first: they would start again what is being ended."""


def run(machine: Machine, tell: Tell, *, purge: bool) -> None:
    """Take it down, whatever state it is in; says so where nothing is up."""
    if _was_up(machine.home):
        _end(machine, tell)
        _clean(machine, tell)
    else:
        tell("nothing of the local cluster runs")
    leftovers.remove_files(machine.home, with_data=purge)
    if purge:
        tell("removed data, images and volumes; the built programs stay")


def _was_up(home: Home) -> bool:
    """Whether anything of this home's cluster may be on the machine: only then are chains named KUBE-… ours."""
    return kernel.is_changed(home) or home.run.exists() or bool(processes.scan(home))


def _end(machine: Machine, tell: Tell) -> None:
    """End every process that `up` started, pods included, and no other."""
    home = machine.home
    names = [process.name for process in plan.processes(machine)]
    later = [name for name in reversed(names) if name not in _BEFORE_PODS]
    _stop(_BEFORE_PODS, home, tell)
    killed = leftovers.kill_pods(home)
    if killed:
        tell(f"ended the pods' {killed} processes")
    _stop(later, home, tell)
    # Whatever was started twice, or by an `up` that was killed before it could write that down.
    processes.kill(processes.scan(home))


def _clean(machine: Machine, tell: Tell) -> None:
    """Remove mounts, network, rules, control groups and settings."""
    leftovers.unmount(machine.home)
    firewall.remove()
    network.remove(machine.home)
    leftovers.remove_cgroups()
    kernel.restore(machine.home)
    tell("removed mounts, network and iptables rules")


def _stop(names: tuple[str, ...] | list[str], home: Home, tell: Tell) -> None:
    for name in names:
        running = processes.find(name, home)
        if running is not None:
            began = time.monotonic()
            processes.stop(running)
            tell(f"ended {name} in {time.monotonic() - began:.1f} s")
        processes.forget(name, home)
