"""What comes from Debian."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.devcluster import packages
from scheduler.devcluster.home import Home
from scheduler.errors import NotFoundError


def test_only_packages_of_missing_programs_are_asked_for() -> None:
    assert packages.missing(lambda item: item not in {"buildah", "/usr/lib/cni/bridge"}) == (
        "containernetworking-plugins",
        "buildah",
    )


def test_nothing_is_asked_when_everything_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find", Path)
    packages.install(Home(root=tmp_path), pytest.fail)


def test_a_machine_without_apt_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find", lambda item: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFoundError, match=r"no apt-get here.*runc.*buildah.*docker-registry"):
        packages.install(Home(root=tmp_path), pytest.fail)


def test_the_unpacked_registry_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find", lambda item: None)
    home = Home(root=tmp_path)
    assert packages.registry(home) is None
    program = home.packages / "docker-registry" / "usr" / "bin" / "docker-registry"
    program.parent.mkdir(parents=True)
    program.touch()
    assert packages.registry(home) == program
