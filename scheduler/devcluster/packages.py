"""Programs that come from Debian: found, or installed with apt-get."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from scheduler import command
from scheduler.devcluster.home import Home
from scheduler.errors import NotFoundError

REGISTRY: Final = "docker-registry"
NEEDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "runc": "runc",
        "/usr/lib/cni/bridge": "containernetworking-plugins",
        "iptables": "iptables",
        "ipset": "ipset",
        "ip": "iproute2",
        "conntrack": "conntrack",
        "modprobe": "kmod",
        "mount": "mount",
        "unshare": "util-linux",
        "buildah": "buildah",
        "/usr/lib/podman/netavark": "netavark",
        "mmdebstrap": "mmdebstrap",
        "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    }
)
"""Program on PATH, or file -> the Debian package that has it."""
_QUIET: Final = MappingProxyType({"DEBIAN_FRONTEND": "noninteractive"})
_LIMIT: Final = 1200
_FOLDERS: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing(exists: Callable[[str], bool]) -> tuple[str, ...]:
    """Packages of which something is not there."""
    return tuple(dict.fromkeys(package for item, package in NEEDED.items() if not exists(item)))


def registry(home: Home) -> Path | None:
    """The registry's program: the machine's, or the one that `install` unpacked; None when there is neither."""
    unpacked = home.packages / REGISTRY / "usr" / "bin" / REGISTRY
    found = find(REGISTRY)
    return found or (unpacked if unpacked.exists() else None)


def install(home: Home, tell: Callable[[str], None]) -> None:
    """Bring what is missing; nothing is asked of apt when nothing is."""
    wanted = missing(lambda item: find(item) is not None)
    needs_registry = registry(home) is None
    if not wanted and not needs_registry:
        return
    if shutil.which("apt-get") is None:
        listed = ", ".join([*wanted, *([REGISTRY] if needs_registry else [])])
        raise NotFoundError(
            f"there is no apt-get here; install by other means what these Debian packages hold: {listed}"
        )
    tell("asking apt for its newest lists")
    command.run(["apt-get", "update", "--quiet"], limit_seconds=_LIMIT, environ=_QUIET)
    if wanted:
        tell(f"installing {', '.join(wanted)}")
        words = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
        command.run(words, limit_seconds=_LIMIT, environ=_QUIET)
    if needs_registry:
        _unpack_registry(home, tell)


def _unpack_registry(home: Home, tell: Callable[[str], None]) -> None:
    """Unpacked, not installed: the package would start a service of its own on the very port that ours needs."""
    tell(f"unpacking {REGISTRY}")
    target = home.packages / REGISTRY
    shutil.rmtree(target, ignore_errors=True)
    download = home.packages / "download"
    shutil.rmtree(download, ignore_errors=True)
    download.mkdir(parents=True)
    # apt downloads as a user of its own unless told that root is meant
    words = ["apt-get", "download", "--option=APT::Sandbox::User=root", REGISTRY]
    command.run(words, limit_seconds=_LIMIT, environ=_QUIET, folder=download)
    for archive in download.glob("*.deb"):
        command.run(["dpkg-deb", "--extract", archive, target], limit_seconds=120)
    shutil.rmtree(download)


def find(item: str) -> Path | None:
    """The file, or the program on PATH or in the folders of system programs, which an ordinary PATH leaves out."""
    if item.startswith("/"):
        return Path(item) if Path(item).exists() else None
    found = shutil.which(item) or shutil.which(item, path=_FOLDERS)
    return Path(found) if found else None
