"""A real Kubernetes cluster on one machine, without Docker and without pulling an image.

`up` brings it up, `down` takes it down, `status` says what runs. The folder is `MODELOPS_HOME`; with
`MODELOPS_CLUSTER=current` the reader's own cluster is used instead, and `up` only looks whether it answers.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping

from scheduler.devcluster import (
    checks,
    current,
    facts,
    lock,
    packages,
    report,
    shutdown,
    startup,
)
from scheduler.devcluster.home import Home
from scheduler.devcluster.report import ClusterStatus
from scheduler.errors import ForbiddenError

__all__ = ["ClusterStatus", "down", "status", "up"]


def up(progress: Callable[[str], None], *, environ: Mapping[str, str] = os.environ) -> ClusterStatus:
    """Make the cluster ready, from whatever state it is in, telling `progress` each step in one line.

    What stands is left alone, what is missing, changed or dead is made again. A machine that cannot carry it is refused
    with every reason before anything is built. Two callers at once: the second waits for the first.
    """
    home = Home.from_environ(environ)
    if current.is_meant(environ):
        return current.check(home, environ, progress)
    checks.require_linux(platform.system())
    machine = startup.machine(environ)
    if os.geteuid() != 0:
        checks.require(facts.of_machine(machine, environ))
    with lock.held(home.lock, progress):
        # under the lock: another `up` that is just starting something would look like a stranger on our ports
        checks.require(facts.of_machine(machine, environ))
        startup.require_same_network(machine)
        packages.install(home, progress)
        machine = startup.machine(environ)  # the packages brought runc and registry
        go_program = startup.programs(home, progress)
        startup.node(machine, progress)
        startup.content(machine, go_program, progress)
        return report.of_machine(machine)


def build(progress: Callable[[str], None], *, environ: Mapping[str, str] = os.environ) -> None:
    """Build the programs that `up` would build, and start nothing; nothing of a cluster that is the reader's own."""
    if current.is_meant(environ):
        return
    _require_root()
    machine = startup.machine(environ)
    with lock.held(machine.home.lock, progress):
        checks.require(facts.of_machine(machine, environ))
        startup.programs(machine.home, progress)


def down(progress: Callable[[str], None], *, purge: bool = False, environ: Mapping[str, str] = os.environ) -> None:
    """Leave no process, mount, interface, rule, ipset or route; built programs, and unless `purge` data, stay."""
    if current.is_meant(environ):
        progress("the cluster is your own: nothing is taken down")
        return
    _require_root()
    machine = startup.machine(environ)
    with lock.held(machine.home.lock, progress):
        shutdown.run(machine, progress, purge=purge)


def status(*, environ: Mapping[str, str] = os.environ) -> ClusterStatus:
    """What runs and works now; nothing is changed."""
    home = Home.from_environ(environ)
    if current.is_meant(environ):
        return current.of(home, environ)
    _require_root()
    return report.of_machine(startup.machine(environ))


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ForbiddenError("the local cluster belongs to root: run this as root")
