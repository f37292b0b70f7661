"""Looks at this machine for what `checks` judges. Nothing is installed or changed by looking."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from scheduler.devcluster import addresses, kernel, plan, ports, processes, toolchain
from scheduler.devcluster.checks import Facts, HeldPort
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.home import Home

_CGROUP: Final = Path("/sys/fs/cgroup")
_GIB: Final = 1024**3
_KUBERNETES: Final = frozenset({"kubelet", "kube-proxy", "k3s", "k3s-server", "k0s", "microk8s", "kubelite"})
_NETFILTER: Final = 12
_REQUEST_AND_ACKNOWLEDGE: Final = 0x01 | 0x04
_ERROR: Final = 2
# subsystem, message and attributes of a question that changes nothing: "which generation" and "which protocol"
_NF_TABLES: Final = (10, 16, b"")
_IP_SET: Final = (6, 1, struct.pack("=HHB3x", 5, 1, 6))


def of_machine(machine: Machine, environ: Mapping[str, str] = os.environ) -> Facts:
    """What is found now; our own processes, routes and bridge are not counted as somebody else's."""
    home = machine.home
    kernel.load_modules()
    version, controllers = cgroups((_CGROUP / "cgroup.controllers"), Path("/proc/mounts").read_text())
    return Facts(
        machine=platform.machine(),
        user_id=os.geteuid(),
        cpus=len(os.sched_getaffinity(0)),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB,
        disk_gib=min(_free_gib(path) for path in _written(home, environ)),
        home=str(home.root),
        is_built=all((home.bin / program.name).exists() for program in toolchain.programs()),
        cgroup_version=version,
        controllers=controllers,
        has_overlay="overlay" in Path("/proc/filesystems").read_text().split(),
        has_bridge_filter=Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists(),
        # only root is answered; anybody else is told to be root anyway
        has_nf_tables=os.geteuid() != 0 or _netfilter_answers(*_NF_TABLES),
        has_ip_set=os.geteuid() != 0 or _netfilter_answers(*_IP_SET),
        settings_writable=os.access("/proc/sys/net/ipv4/ip_forward", os.W_OK),
        network=machine.addresses.network,
        routes=tuple(routes(Path("/proc/net/route").read_text())),
        other_kubernetes=tuple(_other_kubernetes(home)),
        held_ports=held_ports(machine),
    )


def cgroups(v2_controllers: Path, mounts: str) -> tuple[int, frozenset[str]]:
    """Version and controllers; a hybrid of both versions counts as 1, for its controllers are there."""
    if v2_controllers.exists():
        return 2, frozenset(v2_controllers.read_text().split())
    options = [line.split()[3] for line in mounts.splitlines() if line.split()[2:3] == ["cgroup"]]
    found = frozenset(name for text in options for name in text.split(","))
    return (1 if found else 0), found


def routes(text: str) -> Iterator[tuple[str, IPv4Network]]:
    """Interface and network of each route in the text of `/proc/net/route`, the default and our bridge's left out."""
    for line in text.splitlines()[1:]:
        interface, destination, *_, mask, _mtu, _window, _irtt = line.split()
        network = IPv4Network((_address(destination), str(_address(mask))))
        if network.prefixlen > 0 and interface != addresses.BRIDGE:
            yield interface, network


def held_ports(machine: Machine) -> tuple[HeldPort, ...]:
    """Ports that the cluster needs now and that others have: those of our own running processes are not asked for.

    A socket without a process is that of a killed one that is still going; whoever starts the next waits for it.
    """
    waiting = [one for one in plan.processes(machine) if processes.find(one.name, machine.home) is None]
    listening = ports.listeners()
    held = [
        (process.name, *port, found.inode)
        for process in waiting
        for port in process.ports
        if (found := ports.holder(*port, listening)) is not None
    ]
    names = ports.owners(inode for *_, inode in held)
    return tuple(
        HeldPort(process=name, address=address, port=port, holder=names[inode])
        for name, address, port, inode in held
        if inode in names
    )


def _written(home: Home, environ: Mapping[str, str]) -> Sequence[Path]:
    user = Path(environ.get("HOME") or Path.home())
    caches = [environ.get("GOCACHE") or user / ".cache", environ.get("GOMODCACHE") or user / "go"]
    return [home.root, *(Path(cache) for cache in caches)]


def _free_gib(path: Path) -> float:
    for folder in (path, *path.parents):
        with suppress(OSError):  # not there yet, or not for this user to see
            return shutil.disk_usage(folder).free / _GIB
    return 0.0


def _other_kubernetes(home: Home) -> Iterable[str]:
    """Programs of Kubernetes that live in our network and are not ours; those in a container's network do no harm."""
    ours = {running.pid for running in processes.scan(home)}
    network = Path("/proc/self/ns/net").readlink()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) in ours or processes.start_ticks(int(folder.name)) is None:
            continue
        with suppress(OSError):
            name = (folder / "comm").read_text().strip()
            if name in _KUBERNETES and (folder / "ns" / "net").readlink() == network:
                yield f"{name} (process {folder.name})"


def _netfilter_answers(subsystem: int, message: int, attributes: bytes) -> bool:
    """Whether the kernel has this part of netfilter; asking loads it where it is a module."""
    header = struct.pack("=BBH", 0, 0, 0)
    length = 16 + len(header) + len(attributes)
    kind = subsystem << 8 | message
    question = struct.pack("=IHHII", length, kind, _REQUEST_AND_ACKNOWLEDGE, 1, 0) + header + attributes
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as link:
            link.settimeout(2)
            link.sendto(question, (0, 0))
            answer = link.recv(4096)
    except OSError:
        return False
    answered, code = struct.unpack_from("=4xH10xi", answer)
    return bool(answered != _ERROR or code == 0)


def _address(text: str) -> IPv4Address:
    return IPv4Address(struct.unpack("<I", bytes.fromhex(text))[0])
