"""Volumes: made once, emptied only when asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scheduler.devcluster import volumes
from scheduler.devcluster.home import Home
from tests.unit.devcluster import kubectls

LIST = """case "$*" in *patch*) ;; *) cat <<'END'
{"items": [
 {"metadata": {"name": "modelops-01"}, "status": {"phase": "Released"}},
 {"metadata": {"name": "modelops-02"}, "status": {"phase": "Bound"}},
 {"metadata": {"name": "another"}, "status": {"phase": "Released"}}]}
END
esac"""


def test_every_folder_belongs_to_our_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((path.name, user, group)))
    volumes.create(Home(root=tmp_path))
    assert given[0] == ("modelops-01", 10001, 10001)
    assert len(list((tmp_path / "volumes").iterdir())) == len(given) == 20


def test_only_released_volumes_of_ours_are_emptied_and_freed(tmp_path: Path) -> None:
    home = Home(root=tmp_path / "home")
    for name in ("modelops-01", "modelops-02"):
        (home.volumes / name / "folder").mkdir(parents=True)
        (home.volumes / name / "file").write_text("records")
    kubectl, asked = kubectls.scripted(tmp_path / "bin", LIST)
    assert volumes.recycle(home, kubectl) == ("modelops-01",)
    assert list((home.volumes / "modelops-01").iterdir()) == []
    assert len(list((home.volumes / "modelops-02").iterdir())) == 2
    assert [line.split()[2:4] for line in asked.read_text().splitlines() if "patch" in line] == [
        ["persistentvolume", "modelops-01"]
    ]
