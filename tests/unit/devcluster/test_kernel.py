"""Kernel settings: raised by `up`, put back by `down`."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.devcluster import kernel
from scheduler.devcluster.home import Home

FORWARD, INSTANCES, PANIC = "net/ipv4/ip_forward", "fs/inotify/max_user_instances", "kernel/panic"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    folder = tmp_path / "sys"
    for name, value in ((FORWARD, "0"), (INSTANCES, "8192"), (PANIC, "1")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{value}\n")
    return folder


def values(system: Path) -> list[str]:
    return [(system / name).read_text().strip() for name in (FORWARD, INSTANCES, PANIC)]


def test_only_what_is_too_low_is_raised(tmp_path: Path, system: Path) -> None:
    assert kernel.apply(Home(root=tmp_path), system=system) == (FORWARD,)
    assert values(system) == ["1", "8192", "1"]
    assert kernel.apply(Home(root=tmp_path), system=system) == ()


def test_everything_is_as_before_afterwards_also_what_the_kubelet_changed(tmp_path: Path, system: Path) -> None:
    home = Home(root=tmp_path)
    kernel.apply(home, system=system)
    (system / PANIC).write_text("10\n")
    kernel.apply(home, system=system)  # a second `up` must not take the changed values for the first
    assert kernel.is_changed(home)
    kernel.restore(home, system=system)
    assert values(system) == ["0", "8192", "1"]
    assert not kernel.is_changed(home)


def test_restoring_without_an_up_changes_nothing(tmp_path: Path, system: Path) -> None:
    kernel.restore(Home(root=tmp_path), system=system)
    assert values(system) == ["0", "8192", "1"]
