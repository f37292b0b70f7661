"""What a cluster leaves beside its own processes, and its removal: pods' processes, mounts, cgroups, links."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from scheduler import command
from scheduler.devcluster import processes
from scheduler.devcluster.home import Home
from scheduler.devcluster.processes import Running
from scheduler.errors import ConflictError, ProgramError

_CGROUP: Final = Path("/sys/fs/cgroup")
_PODS: Final = "kubepods"
_LINKS: Final = Path("/var/log/containers")
_PASSES: Final = 5


def kill_pods(home: Home) -> int:
    """Kill what runs in our containers and their shims; how many processes that were."""
    killed = 0
    for _ in range(_PASSES):  # a fork that we missed is met in the next pass
        alive = tuple({*_in_containers(home), *_shims(home)})  # in version 1 each process is in a group per controller
        if not alive:
            break
        killed += len(alive)
        processes.kill(alive)
    return killed


def mounts(home: Home, text: str | None = None) -> tuple[Path, ...]:
    """Mount points below the cluster's folders, the innermost first."""
    lines = (text if text is not None else Path("/proc/self/mountinfo").read_text()).splitlines()
    points = [Path(_unescaped(line.split()[4])) for line in lines]
    ours = [point for point in points if any(point.is_relative_to(folder) for folder in (home.root, home.run))]
    return tuple(reversed(ours))


def unmount(home: Home) -> None:
    """Unmount everything below the cluster's folders; a mount that is still there afterwards is a ConflictError."""
    for point in mounts(home):
        try:
            command.run(["umount", point], limit_seconds=30)
        except ProgramError:
            command.run(["umount", "--lazy", point], limit_seconds=30)
    if left := mounts(home):
        raise ConflictError(f"these are still mounted: {', '.join(map(str, left))}")


def remove_cgroups() -> None:
    """Remove the pods' control groups; one that still holds a process stays."""
    for folder in _pod_cgroups():
        for path, _, _ in os.walk(folder, topdown=False):
            with suppress(OSError):
                Path(path).rmdir()


def remove_files(home: Home, *, with_data: bool) -> None:
    """Sockets, links and records; with `with_data` also the cluster's data, volumes and kubeconfig.

    Refused while anything is mounted below: a volume's content must not be deleted through a mount.
    """
    if left := mounts(home):
        raise ConflictError(f"nothing is removed while these are mounted: {', '.join(map(str, left))}")
    for socket in _shim_sockets(home):
        socket.unlink(missing_ok=True)
    shutil.rmtree(home.run, ignore_errors=True)
    shutil.rmtree(home.pids, ignore_errors=True)
    shutil.rmtree(home.work, ignore_errors=True)
    for link in _LINKS.glob("*.log") if _LINKS.is_dir() else ():
        if link.is_symlink() and link.readlink().is_relative_to(home.logs):
            link.unlink()
    if with_data:
        shutil.rmtree(home.cluster, ignore_errors=True)
        shutil.rmtree(home.volumes, ignore_errors=True)
        home.kubeconfig.unlink(missing_ok=True)


def _in_containers(home: Home) -> Iterator[Running]:
    """Processes in control groups named after containers that *our* containerd runs."""
    ours = {task.name for task in _tasks(home)}
    for folder in _pod_cgroups():
        # os.walk, because it bears that groups vanish while it looks, as they do when their processes are killed
        for group in (Path(path) for path, _, _ in os.walk(folder)):
            if group.name in ours:
                yield from processes.identified(_pids(group / "cgroup.procs"), "container")


def _shims(home: Home) -> Iterable[Running]:
    """containerd's children that outlive it: found by the variable that they inherited."""
    recorded = processes.find("containerd", home)
    found = [one for one in processes.scan(home) if one.name == "containerd"]
    return [one for one in found if recorded is None or one.pid != recorded.pid]


def _shim_sockets(home: Home) -> Iterator[Path]:
    """Sockets of shims that were killed: they lie in a folder that all containerds of a machine share."""
    for task in _tasks(home):
        with suppress(OSError, ValueError, KeyError):
            yield Path(json.loads((task / "bootstrap.json").read_text())["address"].removeprefix("unix://"))


def _tasks(home: Home) -> tuple[Path, ...]:
    """The folder where containerd keeps the state of each running container; its name is the container's id."""
    folder = home.run / "containerd" / "io.containerd.runtime.v2.task"
    return tuple(task for namespace in _entries(folder) for task in _entries(namespace))


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []  # it went away while we looked


def _pod_cgroups() -> tuple[Path, ...]:
    """`kubepods` of version 2, or that of every controller of version 1."""
    return tuple(path for path in (_CGROUP / _PODS, *_CGROUP.glob(f"*/{_PODS}")) if path.is_dir())


def _pids(group: Path) -> list[int]:
    try:
        return [int(line) for line in group.read_text().split()]
    except OSError:
        return []  # the control group went away with its last process


def _unescaped(path: str) -> str:
    """mountinfo writes space, tab, newline and backslash as octal numbers.

    >>> _unescaped(r"/a\\040b")
    '/a b'
    """
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), path)
