"""The bridge that pods hang on, the route of the service range, and their removal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from scheduler import command
from scheduler.devcluster import addresses, configuration
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.home import Home

_LIMIT: Final = 15
_CNI_RESULTS: Final = Path("/var/lib/cni/results")


def create(where: Addresses) -> bool:
    """Bridge, its address and the service route as they must be; whether the bridge had to be made.

    The bridge is made before the first pod, because API server, DNS and registry listen on its address. The service
    range is routed to it, so that an address without endpoints can never leave the machine.
    """
    bridge = addresses.BRIDGE
    absent = _link(bridge) is None
    if absent:
        _ip("link", "add", bridge, "type", "bridge")
    address = f"{where.gateway}/{where.pods.prefixlen}"
    if address not in addresses_of(bridge):
        _ip("address", "add", address, "dev", bridge)
    _ip("link", "set", bridge, "up")
    _ip("route", "replace", str(where.services), "dev", bridge)
    return absent


def addresses_of(interface: str) -> tuple[str, ...]:
    """`address/prefix` of each IPv4 address of the interface; nothing if there is no such interface."""
    if _link(interface) is None:
        return ()
    shown: list[dict[str, Any]] = json.loads(_ip("-json", "-4", "address", "show", "dev", interface))
    return tuple(f"{one['local']}/{one['prefixlen']}" for item in shown for one in item.get("addr_info", ()))


def remove(home: Home) -> None:
    """No bridge, no pod's end of it, no route, no lease; whatever is missing already is fine."""
    links: list[dict[str, Any]] = json.loads(_ip("-json", "link", "show"))
    for link in links:
        if link.get("master") == addresses.BRIDGE and _link(link["ifname"]) is not None:
            _ip("link", "delete", link["ifname"])
    if _link(addresses.BRIDGE) is not None:
        _ip("link", "delete", addresses.BRIDGE)  # its addresses and routes go with it
    shutil.rmtree(home.data / "cni", ignore_errors=True)
    for result in _CNI_RESULTS.glob(f"{configuration.CNI_NETWORK}-*"):
        result.unlink(missing_ok=True)


def _link(name: str) -> Path | None:
    path = Path("/sys/class/net") / name
    return path if path.exists() else None


def _ip(*words: str) -> str:
    return command.run(["ip", *words], limit_seconds=_LIMIT)
