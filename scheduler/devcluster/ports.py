"""Which TCP ports are taken, and by whom, as the kernel tells."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

_LISTENING: Final = "0A"
_ANY: Final = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One listening socket."""

    address: str
    """IPv4 address; `::` for any address of both families."""
    port: int
    inode: int


def parse(text: str) -> tuple[Listener, ...]:
    """The listening sockets in the text of `/proc/net/tcp` or `tcp6`; IPv6 addresses other than `::` are left out."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _LISTENING:
            continue
        address, port = fields[1].split(":")
        shown = _address(address)
        if shown is not None:
            found.append(Listener(address=shown, port=int(port, 16), inode=int(fields[9])))
    return tuple(found)


def holder(address: str, port: int, listeners: Iterable[Listener]) -> Listener | None:
    """The socket that makes it impossible to listen there."""
    places = (address, *_ANY)
    return next((one for one in listeners if one.port == port and one.address in places), None)


def listeners(proc: Path = Path("/proc")) -> tuple[Listener, ...]:
    """Every TCP socket that listens on this machine now."""
    found: list[Listener] = []
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            found += parse((proc / "net" / name).read_text())
    return tuple(found)


def owners(inodes: Iterable[int], proc: Path = Path("/proc")) -> Mapping[int, str]:
    """Inode of a socket -> `name (process 123)`; a socket whose process is not ours to see is left out."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, str] = {}
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):
            for descriptor in (folder / "fd").iterdir():
                inode = wanted.get(str(descriptor.readlink()))
                if inode is not None:
                    name = (folder / "comm").read_text().strip()
                    found[inode] = f"{name} (process {folder.name})"
    return found


def accepts(path: Path) -> bool:
    """Whether somebody listens on this Unix socket."""
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.settimeout(2)
        client.connect(str(path))
        return True
    return False


def _address(text: str) -> str | None:
    if len(text) == 8:
        return str(IPv4Address(struct.unpack("<I", bytes.fromhex(text))[0]))
    return "::" if set(text) == {"0"} else None
