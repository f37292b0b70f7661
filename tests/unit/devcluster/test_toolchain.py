"""Programs are built once, from pinned modules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scheduler.devcluster import toolchain
from scheduler.devcluster.home import Home
from scheduler.devcluster.toolchain import Program
from scheduler.errors import ProgramError
from scheduler.golang import finding

PROGRAMS = toolchain.programs()

FAKE_GO = """#!/bin/sh
# go env GOVERSION | go build … -o TARGET PACKAGE
if [ "$1" = env ]; then echo go1.99.0; exit; fi
if grep -q 'go 1.98' go.mod; then echo 'go.mod: that will not do' >&2; exit 1; fi
while [ "$1" != -o ]; do shift; done
cat main.go > "$2"
"""


@pytest.fixture
def fake_go(tmp_path: Path) -> Path:
    path = tmp_path / "go-program"
    path.write_text(FAKE_GO)
    path.chmod(0o755)
    return path


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setattr(toolchain, "MODULES", tmp_path / "modules")
    folder = tmp_path / "modules" / "tool"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module x\n\ngo 1.25.0\n\nrequire example.org/tool v1.2.3\n")
    (folder / "main.go").write_text("package main")
    return Program(
        name="tool", module="tool", pinned="example.org/tool", variables={"main.version": "{version}-{major}-{minor}"}
    )


def build(program: Program, fake_go: Path, tmp_path: Path) -> tuple[tuple[str, ...], list[str]]:
    told: list[str] = []
    return toolchain.build([program], Home(root=tmp_path / "home"), fake_go, told.append), told


def test_a_program_is_built_once(program: Program, fake_go: Path, tmp_path: Path) -> None:
    built, told = build(program, fake_go, tmp_path)
    assert built == ("tool",)
    assert told[0] == "building tool v1.2.3 (1 of 1)"
    assert re.fullmatch(r"built tool: 0 MB in \d+ s \(1 of 1, 0:0\d min in all\)", told[1])
    assert (tmp_path / "home" / "bin" / "tool").read_text() == "package main"
    assert build(program, fake_go, tmp_path) == ((), [])


@pytest.mark.parametrize("change", ["go.mod", "main.go", "go.sum"])
def test_a_changed_source_or_pin_is_built_again(program: Program, fake_go: Path, tmp_path: Path, change: str) -> None:
    build(program, fake_go, tmp_path)
    with (program.folder / change).open("a") as file:
        file.write("\n// changed\n")
    assert build(program, fake_go, tmp_path)[0] == ("tool",)


def test_another_go_builds_again(program: Program, fake_go: Path, tmp_path: Path) -> None:
    build(program, fake_go, tmp_path)
    fake_go.write_text(FAKE_GO.replace("go1.99.0", "go1.99.1"))
    assert build(program, fake_go, tmp_path)[0] == ("tool",)


def test_a_lost_program_is_built_again(program: Program, fake_go: Path, tmp_path: Path) -> None:
    build(program, fake_go, tmp_path)
    (tmp_path / "home" / "bin" / "tool").unlink()
    assert build(program, fake_go, tmp_path)[0] == ("tool",)


def test_a_changed_test_builds_nothing(program: Program, fake_go: Path, tmp_path: Path) -> None:
    build(program, fake_go, tmp_path)
    (program.folder / "main_test.go").write_text("package main")
    assert not build(program, fake_go, tmp_path)[0]


def test_a_failed_build_leaves_no_program_that_looks_current(program: Program, fake_go: Path, tmp_path: Path) -> None:
    (program.folder / "go.mod").write_text("module x\ngo 1.98\nrequire example.org/tool v1.2.3\n")
    with pytest.raises(ProgramError, match="that will not do"):
        build(program, fake_go, tmp_path)
    assert not (tmp_path / "home" / "bin" / "tool.stamp").exists()


def test_what_a_killed_build_left_is_removed(program: Program, fake_go: Path, tmp_path: Path) -> None:
    left = tmp_path / "home" / "bin" / "tool.part-4711"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    build(program, fake_go, tmp_path)
    assert not left.exists()


def test_flags_name_the_version_that_go_mod_pins(program: Program) -> None:
    assert toolchain.flags(program)[-1] == "-ldflags=-s -w -X main.version=v1.2.3-1-2"


def test_the_kubernetes_version_reaches_every_binary() -> None:
    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in toolchain.flags(toolchain.KUBECTL)[-1]
    assert "gitMajor=1 " in toolchain.flags(toolchain.KUBECTL)[-1]
    assert toolchain.flags(toolchain.KUBECTL)[-1].endswith("gitMinor=34")


def test_helm_names_a_whole_semantic_version() -> None:
    assert re.search(r"version\.version=v3\.\d+\.\d+$", toolchain.flags(toolchain.HELM)[-1])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_program_is_pinned_and_ours_to_build(program: Program) -> None:
    text = (program.folder / "go.mod").read_text()
    assert program.package == "." or f"tool {program.package}\n" in text or f"\t{program.package}\n" in text
    assert toolchain.version(program) == "dev" or re.fullmatch(r"v\d+\.\d+\.\d+", toolchain.version(program))
    assert finding.parse(text.split("\ngo ")[1]) <= (1, 26, 99)


@pytest.mark.parametrize("module", sorted(path.name for path in toolchain.MODULES.iterdir()))
def test_no_module_takes_anything_from_a_local_folder(module: str) -> None:
    text = (toolchain.MODULES / module / "go.mod").read_text()
    assert "=> ." not in text
    assert "=> /" not in text


def test_kubernetes_takes_every_staging_module_at_its_own_version() -> None:
    text = (toolchain.MODULES / "kubernetes" / "go.mod").read_text()
    replaced = re.findall(r"k8s\.io/([\w-]+) => k8s\.io/\1 (v[\d.]+)", text)
    assert len(replaced) == 31
    assert {version for _, version in replaced} == {"v0.34.4"}
