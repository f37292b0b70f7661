"""Kills `cluster up` and the local cluster's components, and sees how long it takes until everything is ready again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scheduler import devcluster
from scheduler.devcluster import plan, processes
from scheduler.devcluster.configuration import Machine

READY_SECONDS: Final = 180
"""How long it may take at most."""
PODS: Final = {"tekton-controller": "/ko-app/controller", "tekton-webhook": "/ko-app/webhook"}
"""Components that are pods, by their program."""
COMPONENTS: Final = (*plan.ORDER, *PODS)
UP_SECONDS: Final = 12.0
"""What `up` after `down` takes about: where moments are looked for."""
_GONE_SECONDS: Final = 30


def moments(seed: int, count: int) -> tuple[float, ...]:
    """Seconds after the start of `up`: one in each of `count` equal parts of its time, so that each phase is met."""
    chance, part = random.Random(seed), UP_SECONDS / count
    return tuple((number + chance.random()) * part for number in range(count))


def kill_up(moment: float) -> tuple[float, bool]:
    """Take the cluster down, kill an `up` after so many seconds; what the next one took, and whether it was at work."""
    devcluster.down(_quiet)
    command = [sys.executable, "-m", "scheduler.devcluster", "up"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            was_at_work = True
        else:
            was_at_work = False
        process.kill()
    return bring_back(), was_at_work


def kill(machine: Machine, name: str) -> float:
    """Kill one component; the seconds until `up` has found everything ready again."""
    pid = pid_of(machine, name)
    before = processes.start_ticks(pid)
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: processes.start_ticks(pid) != before, limit_seconds=_GONE_SECONDS)
    if name in PODS:
        # the kubelet starts it again by itself; until it has, the API server shows the old one's health
        assert processes.wait_until(
            lambda: pid_of(machine, name) not in (0, pid), limit_seconds=READY_SECONDS, every_seconds=0.5
        )
    seconds = bring_back()
    assert pid_of(machine, name) not in (0, pid)
    return seconds


def pid_of(machine: Machine, name: str) -> int:
    """Of a component that runs; 0 when it does not."""
    if name not in PODS:
        running = processes.find(name, machine.home)
        return running.pid if running else 0
    program = PODS[name].encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _command(folder)[:1] == [program]:
            return int(folder.name)
    return 0


def bring_back() -> float:
    """`up`, and the seconds that it took until everything was ready."""
    began = time.monotonic()
    status = devcluster.up(_quiet)
    seconds = time.monotonic() - began
    assert status.is_ready, status
    assert seconds < READY_SECONDS
    return seconds


def shown(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.0f} to {max(seconds):.0f} s"


def _command(folder: Path) -> list[bytes]:
    try:
        return (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _quiet(_: str) -> None:
    """Nobody reads along."""
