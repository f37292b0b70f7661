"""How much room a pod asks for, and how much there is, in numbers."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from scheduler.model.types import Manifest
from scheduler.preprocess import resources

_SHORT: Final = re.compile(r"Insufficient (cpu|memory)\b")
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Of a node: all that it has, of which its own daemons take a part."""

    cpu: int
    memory_bytes: int


def here() -> Size:
    """Of the node that this very program runs on: nobody needs a right to look at its own machine."""
    return Size(
        cpu=os.sysconf("SC_NPROCESSORS_ONLN"), memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    )


def shortage(pod: Manifest, why: str, node: Size | None) -> str:
    """What `why`, the scheduler's message about a pod, means in numbers; empty when it is not about too little room.

    >>> shortage({"kind": "Pod", "spec": {"containers": []}}, "1 node(s) had untolerated taint(s)", None)
    ''
    """
    total = resources.totals([pod])
    asked = {
        "cpu": Decimal(total.request_cpu_millicores) / 1000,
        "memory": Decimal(total.request_memory_bytes),
    }
    words = []
    for resource in dict.fromkeys(_SHORT.findall(why)):
        has = "" if node is None else node.cpu if resource == "cpu" else node.memory_bytes
        there = f", the node of task wait has {_told(resource, Decimal(has))} in all" if has else ""
        words.append(f"it asks for {_told(resource, asked[resource])} of {resource}{there}")
    return "; ".join(words)


def _told(resource: str, amount: Decimal) -> str:
    """
    >>> _told("cpu", Decimal("0.1")), _told("cpu", Decimal(2)), _told("memory", Decimal(2**30))
    ('100m', '2', '1024Mi')
    """
    if resource == "memory":
        return f"{amount / _MIB:.0f}Mi"
    return f"{amount:f}" if amount == amount.to_integral_value() else f"{amount * 1000:.0f}m"
