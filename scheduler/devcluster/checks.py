"""Whether this machine can carry the cluster: everything that would fail later is said at once, each with its remedy.

`problems` judges and is pure; `facts.of_machine` looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from scheduler.devcluster.addresses import DEFAULT, VARIABLE
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem

CPUS: Final = 2
MEMORY_GIB: Final = 6
DISK_GIB: Final = 20
DISK_BUILT_GIB: Final = 4
MACHINES: Final = ("x86_64", "aarch64")
CONTROLLERS: Final = ("cpu", "cpuset", "memory", "pids")
CONTROLLERS_V1: Final = (*CONTROLLERS, "devices", "freezer")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPort:
    """A port that the cluster needs and somebody else has."""

    process: str
    address: str
    port: int
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found on the machine."""

    machine: str
    user_id: int
    cpus: int
    memory_gib: float
    disk_gib: float
    """Free, on the fullest of the file systems that are written to."""
    home: str
    is_built: bool
    cgroup_version: int
    """1, 2, or 0 when no cgroup file system is mounted."""
    controllers: frozenset[str]
    has_overlay: bool
    has_bridge_filter: bool
    has_nf_tables: bool
    has_ip_set: bool
    settings_writable: bool
    """Whether `/proc/sys` may be written."""
    network: IPv4Network
    routes: tuple[tuple[str, IPv4Network], ...] = ()
    """Interface and network of each route that is neither the default nor ours."""
    other_kubernetes: tuple[str, ...] = ()
    """`kubelet (process 123)` of clusters that are not ours."""
    held_ports: tuple[HeldPort, ...] = ()


def require_linux(system: str) -> None:
    """Refuse any other system before its files are looked at, for it has none of them."""
    if system != "Linux":
        remedy = "use a virtual machine, or your own cluster with MODELOPS_CLUSTER=current"
        raise InvalidInputError([_problem("system", f"the local cluster needs Linux, this is {system}: {remedy}")])


def require(facts: Facts) -> None:
    """Refuse a machine that cannot carry the cluster, with every reason."""
    if found := problems(facts):
        count = f"{len(found)} thing{'' if len(found) == 1 else 's'}"
        raise InvalidInputError(found, summary=f"this machine cannot carry the local cluster: {count} to put right")


def problems(facts: Facts) -> tuple[Problem, ...]:
    """Every reason why the cluster could not run here, in the reader's words, with what to do."""
    return (*_size(facts), *_cgroups(facts), *_kernel(facts), *_neighbours(facts))


def _size(facts: Facts) -> Iterator[Problem]:
    if facts.user_id != 0:
        yield _problem("user", "containers and networks need root: run this as root, or by `sudo --preserve-env`")
    if facts.machine not in MACHINES:
        yield _problem("processor", f"{facts.machine} was never tried; this runs on {' and '.join(MACHINES)}")
    if facts.cpus < CPUS:
        yield _problem("CPUs", f"{facts.cpus} of at least {CPUS}: give this machine more")
    if facts.memory_gib < MEMORY_GIB:
        yield _problem("memory", f"{facts.memory_gib:.1f} GiB of at least {MEMORY_GIB}: give this machine more")
    least = DISK_BUILT_GIB if facts.is_built else DISK_GIB
    if facts.disk_gib < least:
        remedy = f"free some, or set MODELOPS_HOME (now {facts.home}) and GOCACHE, GOMODCACHE to a larger disk"
        yield _problem("disk", f"{facts.disk_gib:.1f} GiB free of at least {least}: {remedy}")


def _cgroups(facts: Facts) -> Iterator[Problem]:
    if facts.cgroup_version == 0:
        yield _problem("cgroups", "none are mounted: mount them, as every init system does, at /sys/fs/cgroup")
        return
    needed = CONTROLLERS if facts.cgroup_version == 2 else CONTROLLERS_V1
    absent = [name for name in needed if name not in facts.controllers]
    if absent:
        remedy = "enable them on the kernel's command line (cgroup_enable=…), or delegate them to this container"
        yield _problem("cgroups", f"version {facts.cgroup_version} without {', '.join(absent)}: {remedy}")


def _kernel(facts: Facts) -> Iterator[Problem]:
    if not facts.has_overlay:
        yield _missing("overlay file system", "overlay", "CONFIG_OVERLAY_FS")
    if not facts.has_bridge_filter:
        yield _missing("netfilter for bridges", "br_netfilter", "CONFIG_BRIDGE_NETFILTER")
    if not facts.has_nf_tables:
        yield _missing("nf_tables", "nf_tables", "CONFIG_NF_TABLES")
    if not facts.has_ip_set:
        yield _missing("ipset, by which NetworkPolicies are enforced", "ip_set", "CONFIG_IP_SET")
    if not facts.settings_writable:
        yield _problem("kernel", "/proc/sys is read-only: in a container, start that with --privileged")


def _neighbours(facts: Facts) -> Iterator[Problem]:
    for one in facts.other_kubernetes:
        remedy = "end that cluster, or use it with MODELOPS_CLUSTER=current"
        yield _problem("another Kubernetes", f"{one} runs here and would fight over the same iptables chains: {remedy}")
    for interface, network in facts.routes:
        if network.overlaps(facts.network):
            remedy = f"name another private network of 16 bits, such as {VARIABLE}={_other(facts)}"
            yield _problem("network", f"{facts.network} is in use here ({network} by {interface}): {remedy}")
    for held in facts.held_ports:
        place = f"{held.address}:{held.port}"
        yield _problem("port", f"{held.process} needs {place}, which {held.holder} has: end that program")


def _other(facts: Facts) -> IPv4Network:
    """A network that is free here."""
    taken = [network for _, network in facts.routes]
    candidates = IPv4Network("10.0.0.0/8").subnets(new_prefix=16)
    above = (one for one in candidates if one > DEFAULT and not any(one.overlaps(network) for network in taken))
    return next(above, DEFAULT)


def _missing(what: str, module: str, option: str) -> Problem:
    return _problem("kernel", f"no {what}: `modprobe {module}`, or use a kernel with {option}")


def _problem(pointer: str, message: str) -> Problem:
    return Problem(pointer=pointer, message=message)
