"""Kernel settings that a node needs: set by `up`, put back by `down`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from scheduler import command
from scheduler.devcluster.home import Home
from scheduler.errors import ProgramError, UnavailableError

MODULES: Final = ("overlay", "br_netfilter", "nf_conntrack", "ip_set", "veth")

AT_LEAST: Final[Mapping[str, int]] = MappingProxyType(
    {
        "net/ipv4/ip_forward": 1,
        "net/bridge/bridge-nf-call-iptables": 1,
        "fs/inotify/max_user_instances": 512,
        "fs/inotify/max_user_watches": 131072,
    }
)
_ALSO_CHANGED: Final = (
    # kubelet and kube-proxy write these when they start
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/ipv4/conf/all/route_localnet",
    "net/netfilter/nf_conntrack_max",
)
_SYS: Final = Path("/proc/sys")


def load_modules() -> None:
    """Load what is a module and not loaded; what is built into the kernel has nothing to load, and `checks` looked."""
    for name in MODULES:
        with suppress(ProgramError, UnavailableError):
            command.run(["modprobe", "--quiet", name], limit_seconds=10)


def apply(home: Home, *, system: Path = _SYS) -> tuple[str, ...]:
    """Raise the settings that are too low; their names. The values from before are kept for `restore`."""
    _remember(home, system)
    changed = []
    for name, least in AT_LEAST.items():
        path = system / name
        if path.exists() and int(path.read_text()) < least:
            path.write_text(f"{least}\n")
            changed.append(name)
    return tuple(changed)


def is_changed(home: Home) -> bool:
    """Whether values are kept for `restore`: from the first `up` to the next `down`."""
    return (home.cluster / "kernel.json").exists()


def restore(home: Home, *, system: Path = _SYS) -> None:
    """Put back the values from before the first `up`."""
    file = home.cluster / "kernel.json"
    if not file.exists():
        return
    before: dict[str, str] = json.loads(file.read_text())
    for name, value in before.items():
        path = system / name
        with suppress(OSError):  # a setting may be read-only in a container; then nobody changed it either
            if path.exists() and path.read_text().strip() != value:
                path.write_text(f"{value}\n")
    file.unlink()


def _remember(home: Home, system: Path) -> None:
    file = home.cluster / "kernel.json"
    if file.exists():
        return
    home.cluster.mkdir(parents=True, exist_ok=True)
    names = [name for name in (*AT_LEAST, *_ALSO_CHANGED) if (system / name).exists()]
    part = file.with_suffix(".part")
    part.write_text(json.dumps({name: (system / name).read_text().strip() for name in names}))
    part.replace(file)
