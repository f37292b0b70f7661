"""What a cluster leaves on the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scheduler.devcluster import leftovers
from scheduler.devcluster.home import Home
from scheduler.errors import ConflictError

HOME = Home(root=Path("/home/of/cluster"), run=Path("/run/of/cluster"))
MOUNTS = r"""
22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:30 / /home/of/cluster/data/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw
31 30 0:31 / /home/of/cluster/data/kubelet/pods/1/volumes/token/in\040side rw - tmpfs tmpfs rw
32 22 0:32 / /home/of/clusters rw - tmpfs tmpfs rw
33 22 0:33 / /run/of/cluster/containerd/rootfs rw - overlay overlay rw
""".strip()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    given = Home(root=tmp_path / "home", run=tmp_path / "run")
    for folder in (given.bin, given.data, given.pids, given.work, given.volumes / "modelops-01", given.run):
        folder.mkdir(parents=True)
    given.kubeconfig.write_text("secret")
    (given.bin / "etcd").write_text("program")
    return given


def test_only_mounts_below_our_folders_count_and_the_innermost_come_first() -> None:
    assert leftovers.mounts(HOME, MOUNTS) == (
        Path("/run/of/cluster/containerd/rootfs"),
        Path("/home/of/cluster/data/kubelet/pods/1/volumes/token/in side"),
        Path("/home/of/cluster/data/kubelet/pods/1/volumes/token"),
    )


def test_data_stay_unless_they_are_purged(home: Home) -> None:
    leftovers.remove_files(home, with_data=False)
    assert not home.run.exists()
    assert not home.pids.exists()
    assert home.data.exists()
    assert home.kubeconfig.exists()


def test_a_purge_keeps_the_programs_alone(home: Home) -> None:
    leftovers.remove_files(home, with_data=True)
    assert [path.name for path in home.root.iterdir()] == ["bin"]


def test_nothing_is_removed_while_something_is_mounted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "mounts", lambda home: (home.volumes / "modelops-01",))
    with pytest.raises(ConflictError, match="nothing is removed while these are mounted"):
        leftovers.remove_files(home, with_data=True)
    assert home.volumes.exists()


def test_sockets_of_killed_shims_go_and_those_of_others_stay(home: Home, tmp_path: Path) -> None:
    ours, other = tmp_path / "s" / "ours", tmp_path / "s" / "other"
    task = home.run / "containerd" / "io.containerd.runtime.v2.task" / "k8s.io" / "0a"
    for folder in (ours.parent, task):
        folder.mkdir(parents=True)
    for socket in (ours, other):
        socket.touch()
    (task / "bootstrap.json").write_text(json.dumps({"version": 3, "address": f"unix://{ours}"}))
    leftovers.remove_files(home, with_data=False)
    assert list(other.parent.iterdir()) == [other]
