"""Starts, finds and ends the cluster's processes, and never takes another's process for one of them.

Each process is started in its own session with `MODELOPS_PROCESS=<home>:<name>` in its environment, and recorded in a
file with its process id *and* its start time. A recorded id counts only while the start time is the same, for ids are
used again. A process whose record was lost, because `up` was killed between the two steps, is found by that variable.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from scheduler.devcluster.home import Home
from scheduler.devcluster.plan import Process
from scheduler.errors import ProgramError, UnavailableError

VARIABLE: Final = "MODELOPS_PROCESS"
_PROC: Final = Path("/proc")
_POLL_SECONDS: Final = 0.05
_TERMINATION_SECONDS: Final = 20
_MAX_LOG_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One of our processes, alive."""

    name: str
    pid: int
    start_ticks: int
    """Clock ticks from the machine's start to this process's: with the id, unique."""
    recipe: str
    """Digest of the command line, program and files that it was started with; empty when the record was lost."""


def recipe(process: Process) -> str:
    """Digest of all that decides how this process behaves; another digest means that it must start anew."""
    digest = hashlib.sha256(json.dumps(process.command).encode())
    stamp = Path(f"{process.command[0]}.stamp")
    for path in (stamp, *process.files):
        digest.update(path.read_bytes() if path.exists() else b"-")
    return digest.hexdigest()


def start(process: Process, home: Home) -> Running:
    """Start it detached, its output appended to its log, and record it."""
    home.logs.mkdir(parents=True, exist_ok=True)
    log = home.logs / f"{process.name}.log"
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
    environ = {
        # kubelet and the shims look programs up; everything else of our own environment stays out of the cluster
        "PATH": f"{home.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home.data),
        VARIABLE: f"{home.root}:{process.name}",
    }
    given = recipe(process)
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(
                process.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environ,
                cwd="/",
                start_new_session=True,
            )
    except OSError as error:
        raise ProgramError(f"cannot start {process.name} ({process.program}): {error.strerror}") from error
    running = Running(name=process.name, pid=child.pid, start_ticks=start_ticks(child.pid) or 0, recipe=given)
    # The child outlives us; nobody is going to wait for it here, and Python should not warn of that.
    child.returncode = 0
    _record(running, home)
    return running


def find(name: str, home: Home) -> Running | None:
    """The process of that name, if it is alive: by its record, or else by its environment."""
    recorded = _recorded(home.pids / f"{name}.json")
    if recorded is not None and is_alive(recorded):
        return recorded
    marked = [running for running in scan(home) if running.name == name and not _is_shim(running)]
    if not marked:
        return None
    oldest = min(marked, key=lambda running: running.start_ticks)
    _record(oldest, home)
    return oldest


def scan(home: Home) -> tuple[Running, ...]:
    """Every process on the machine that was started for this home, container shims included, pods' own ones not."""
    mark = f"{VARIABLE}={home.root}:".encode()
    found = []
    for pid in _pids():
        with suppress(OSError):  # it ended while we looked
            variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
            names = [word[len(mark) :].decode() for word in variables if word.startswith(mark)]
            ticks = start_ticks(pid)
            if names and ticks is not None:
                found.append(Running(name=names[0], pid=pid, start_ticks=ticks, recipe=""))
    return tuple(found)


def stop(running: Running, *, limit_seconds: float = _TERMINATION_SECONDS) -> None:
    """End it: asked first, killed at the limit. Done when it is gone; one that will not go is an UnavailableError."""
    _signal(running, signal.SIGTERM)
    if wait_until(lambda: not is_alive(running), limit_seconds=limit_seconds):
        return
    _signal(running, signal.SIGKILL)
    if not wait_until(lambda: not is_alive(running), limit_seconds=10):
        raise UnavailableError(f"{running.name} (process {running.pid}) does not end, not even when killed")


def kill(running: Sequence[Running], *, limit_seconds: float = 10) -> None:
    """Kill all of them at once and wait until they are gone."""
    for one in running:
        _signal(one, signal.SIGKILL)
    wait_until(lambda: not any(is_alive(one) for one in running), limit_seconds=limit_seconds)


def identified(pids: Iterable[int], name: str) -> Iterator[Running]:
    """Those of the processes that are alive now, held so that a recycled id is not mistaken for them later."""
    for pid in pids:
        if (ticks := start_ticks(pid)) is not None:
            yield Running(name=name, pid=pid, start_ticks=ticks, recipe="")


def forget(name: str, home: Home) -> None:
    (home.pids / f"{name}.json").unlink(missing_ok=True)


def is_alive(running: Running) -> bool:
    """Whether that very process lives; a zombie does not."""
    return start_ticks(running.pid) == running.start_ticks


def start_ticks(pid: int) -> int | None:
    """When the process started; None when there is none or it is a zombie."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (OSError, UnicodeDecodeError):
        return None
    # the second field, the name in brackets, may itself hold spaces and brackets
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[19])


def wait_until(holds: Callable[[], bool], *, limit_seconds: float, every_seconds: float = _POLL_SECONDS) -> bool:
    """Whether it held within the limit; asked at least once."""
    end = time.monotonic() + limit_seconds
    while not holds():
        if time.monotonic() >= end:
            return False
        time.sleep(every_seconds)
    return True


def last_words(name: str, home: Home, *, lines: int = 15) -> str:
    """The end of a process's log."""
    log = home.logs / f"{name}.log"
    if not log.exists():
        return "(it wrote nothing)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _is_shim(running: Running) -> bool:
    """containerd's shims inherit its variable; they are not containerd."""
    try:
        return b"containerd-shim" in (_PROC / str(running.pid) / "cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return False


def _signal(running: Running, number: signal.Signals) -> None:
    if is_alive(running):
        with suppress(ProcessLookupError):
            os.kill(running.pid, number)
    # Where we are its parent, it stays a zombie until somebody asks.
    with suppress(ChildProcessError):
        os.waitpid(running.pid, os.WNOHANG)


def _record(running: Running, home: Home) -> None:
    home.pids.mkdir(parents=True, exist_ok=True)
    part = home.pids / f"{running.name}.json.part"
    part.write_text(json.dumps(asdict(running)))
    part.replace(home.pids / f"{running.name}.json")


def _recorded(file: Path) -> Running | None:
    try:
        return Running(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None  # no record, or half a one: the search by environment decides


def _pids() -> Iterator[int]:
    return (int(path.name) for path in _PROC.iterdir() if path.name.isdigit())
