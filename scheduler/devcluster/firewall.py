"""Removes the iptables chains and ipsets that kube-proxy, kubelet, CNI and the policy controller made.

Which rules go is decided in `removal`, which is pure; every other rule stays as it is.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from scheduler import command
from scheduler.devcluster.configuration import CNI_NETWORK
from scheduler.errors import ProgramError

_LIMIT: Final = 30
_OURS: Final = re.compile(r"KUBE-[A-Z0-9-]+$")
_CNI: Final = re.compile(r"CNI-[0-9a-f]+$|CNI-(DN|SN)-[0-9a-f]+$")
_CNI_SHARED: Final = ("CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ", "CNI-HOSTPORT-DNAT")
_SETS: Final = ("KUBE-SRC-", "KUBE-DST-", "TMP-")
_SAVES: Final = ("iptables", "ip6tables")


def remove() -> None:
    """Take our chains, the rules that lead to them, and our ipsets out of the kernel, for IPv4 and IPv6."""
    for program in _SAVES:
        script = removal(_saved(program))
        if script:
            command.run([f"{program}-restore", "--noflush", "--wait", "10"], stdin=script, limit_seconds=_LIMIT)
    for name in ipsets():
        command.run(["ipset", "destroy", name], limit_seconds=_LIMIT)


def leftovers() -> tuple[str, ...]:
    """Chains and ipsets of ours that are in the kernel now."""
    chains = [
        f"{program} {table} {chain}"
        for program in _SAVES
        for table, lines in _tables(_saved(program))
        for chain in _our_chains(lines)
    ]
    return (*chains, *(f"ipset {name}" for name in ipsets()))


def ipsets() -> tuple[str, ...]:
    """Names of the policy controller's ipsets."""
    names = command.run(["ipset", "list", "-name"], limit_seconds=_LIMIT).split()
    return tuple(name for name in names if name.startswith(_SETS))


def removal(saved: str) -> str:
    """The `iptables-restore --noflush` script that takes our chains out of what `iptables-save` printed, or nothing."""
    parts = []
    for table, lines in _tables(saved):
        ours = _our_chains(lines)
        if not ours:
            continue
        leading = [line for line in lines if line.startswith("-A ") and _leads_to(line, ours)]
        deletions = [f"-D {line[3:]}" for line in leading if line.split()[1] not in ours]
        # Naming a chain empties it; only empty chains that nothing leads to can be deleted.
        emptied = [f":{chain} - [0:0]" for chain in ours]
        parts.append("\n".join([f"*{table}", *emptied, *deletions, *(f"-X {chain}" for chain in ours), "COMMIT"]))
    return "".join(f"{part}\n" for part in parts)


def _our_chains(lines: Sequence[str]) -> tuple[str, ...]:
    """Chains of Kubernetes, and those of CNI that belong to our network (podman's or docker's stay)."""
    names = [line[1:].split()[0] for line in lines if line.startswith(":")]
    commented = f'name: \\"{CNI_NETWORK}\\"'
    cni = {word for line in lines if commented in line for word in shlex.split(line) if _CNI.match(word)}
    foreign = {name for name in names if _CNI.match(name)} - cni
    shared = () if foreign else _CNI_SHARED
    return tuple(name for name in names if _OURS.match(name) or name in cni or name in shared)


def _leads_to(line: str, chains: Sequence[str]) -> bool:
    words = shlex.split(line)
    targets = [after for word, after in pairwise(words) if word in {"-j", "-g"}]
    return any(target in chains for target in targets)


def _tables(saved: str) -> Iterator[tuple[str, list[str]]]:
    table = ""
    lines: list[str] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            table, lines = line[1:], []
        elif line == "COMMIT":
            yield table, lines
        elif line and not line.startswith("#"):
            lines.append(line)


def _saved(program: str) -> str:
    try:
        return command.run([f"{program}-save"], limit_seconds=_LIMIT)
    except ProgramError:
        return ""  # a kernel without IPv6 has none of its rules either
