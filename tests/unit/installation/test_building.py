"""One image of an installation."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scheduler.errors import InvalidInputError, NotFoundError, ProgramError
from scheduler.golang import compiler
from scheduler.images.step import BuildStep
from scheduler.installation import building
from scheduler.installation.building import Order
from tests.unit.images.workshop import BASE, BASE_DIGEST, DIGEST, REGISTRY, TOOLS, Workshop, chart, write

FAKE_GO = """#!/bin/sh
# go env GOVERSION | go build … -o TARGET PACKAGE
if [ "$1" = env ]; then echo go1.99.0; exit; fi
if grep -q FAIL main.go; then echo 'main.go: that will not do' >&2; exit 1; fi
echo "compiling with $GOPROXY"
while [ "$1" != -o ]; do shift; done
mkdir -p "$(dirname "$2")"; cp main.go "$2"; chmod +x "$2"
"""


def server(workshop: Workshop, earlier: dict[str, str] | None = None, **item: Any) -> Order:
    step = {"name": "server", "chart": "server", "containerfile": "build/Containerfile", "context": ("scheduler",)}
    return workshop.order(BuildStep(**{**step, **item}), earlier)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    chart(tmp_path, "server")
    write(tmp_path / "scheduler" / "errors.py", "x = 1")
    write(tmp_path / "engine" / "go.mod", "module engine\n\ngo 1.98\n")
    write(tmp_path / "engine" / "main.go", "package main")
    return Workshop(tmp_path)


@pytest.fixture
def go(tmp_path: Path) -> Path:
    """Where a Go that was fetched would be."""
    program = write(tmp_path / "ours" / "go" / "bin" / "go", FAKE_GO)
    program.chmod(0o755)
    return tmp_path / "ours"


def compiled(workshop: Workshop, earlier: dict[str, str] | None = None, **item: Any) -> Order:
    step = {"name": "engine", "chart": "engine", "containerfile": "", "task": "compile-engine", "context": ("engine",)}
    return server(workshop, earlier, **{**step, **item})


def test_an_image_is_built_once_from_the_images_before_it(workshop: Workshop) -> None:
    order = server(workshop, {"engine": f"{REGISTRY}/modelops/engine@{DIGEST}"}, after=("engine", "container-tools"))

    first, second = workshop.image(order), workshop.image(order)

    assert (first.is_new, second.is_new, first.reference) == (True, False, second.reference)
    assert workshop.builder.built[0][1] == {
        "BASE": f"{REGISTRY}/modelops/base@{BASE_DIGEST}",
        "ENGINE_IMAGE": f"{REGISTRY}/modelops/engine@{DIGEST}",
        "CONTAINER_TOOLS_IMAGE": TOOLS,
    }


def _other_base(workshop: Workshop) -> None:
    workshop.registry.digests[BASE] = "sha256:another under the same name"


def _other_mode(workshop: Workshop) -> None:
    (workshop.root / "scheduler" / "errors.py").chmod(0o755)


@pytest.mark.parametrize("change", [_other_base, _other_mode])
def test_an_image_is_built_again_from_other_files(workshop: Workshop, change: Callable[[Workshop], None]) -> None:
    workshop.image(server(workshop))
    change(workshop)

    assert workshop.image(server(workshop)).is_new


BEFORE = {"engine": f"{REGISTRY}/modelops/engine@{DIGEST}"}
OTHER_BEFORE = {"engine": f"{REGISTRY}/modelops/engine@sha256:{'2' * 64}"}


@pytest.mark.parametrize(("args", "earlier"), [({"A": "2"}, BEFORE), ({"A": "1"}, OTHER_BEFORE)])
def test_an_image_is_built_again_with_other_arguments_and_after_another_image(
    workshop: Workshop, args: dict[str, str], earlier: dict[str, str]
) -> None:
    workshop.image(server(workshop, BEFORE, after=("engine",), args={"A": "1"}))

    assert workshop.image(server(workshop, earlier, after=("engine",), args=args)).is_new


def test_images_that_were_not_given_are_refused_at_once(workshop: Workshop) -> None:
    with pytest.raises(InvalidInputError) as raised:
        workshop.image(server(workshop, after=("engine", "shell")))
    assert len(raised.value.problems) == 2


def test_a_missing_context_is_named(workshop: Workshop) -> None:
    with pytest.raises(InvalidInputError, match="server: context 'nowhere' is not there"):
        workshop.image(server(workshop, context=("nowhere",)))


def test_a_missing_base_is_named_with_the_remedy(workshop: Workshop) -> None:
    workshop.registry.digests.clear()
    with pytest.raises(NotFoundError, match=r"base:trixie is not in its registry; push any Debian 13"):
        workshop.image(server(workshop))


def test_a_program_is_compiled_once_into_an_image_that_holds_nothing_else(workshop: Workshop, go: Path) -> None:
    first, second = (workshop.program(compiled(workshop), go=go) for _ in range(2))

    assert (first.is_new, second.is_new, first.reference) == (True, False, second.reference)
    assert workshop.told == ["compiling with theirs"]
    assert workshop.builder.built == []
    document = workshop.store.manifest("modelops/engine", first.reference.partition("@")[2])
    (layer,) = json.loads(document.content)["layers"]
    packed = workshop.store.blobs["modelops/engine", layer["digest"]]
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert [(entry.name, oct(entry.mode)) for entry in archive] == [("engine", "0o755")]


def test_a_registry_may_have_a_path(workshop: Workshop, go: Path) -> None:
    order = replace(compiled(workshop), registry=f"{REGISTRY}/acme/team")

    first, second = (workshop.program(order, go=go) for _ in range(2))

    assert first.reference.startswith(f"{REGISTRY}/acme/team/modelops/engine@sha256:")
    assert {repository for repository, _ in workshop.store.manifests} == {"acme/team/modelops/engine"}
    assert (first.is_new, second.is_new) == (True, False)


@pytest.mark.parametrize(("file", "is_built"), [("main.go", True), ("go.sum", True), ("main_test.go", False)])
def test_what_a_program_is_compiled_from_makes_it_new(workshop: Workshop, go: Path, file: str, is_built: bool) -> None:
    workshop.program(compiled(workshop), go=go)
    write(workshop.root / "engine" / file, "package other")

    assert workshop.program(compiled(workshop), go=go).is_new is is_built


@pytest.mark.parametrize(("args", "earlier"), [({"A": "2"}, BEFORE), ({"A": "1"}, OTHER_BEFORE)])
def test_a_program_is_compiled_again_with_other_arguments_and_after_another_image(
    workshop: Workshop, go: Path, args: dict[str, str], earlier: dict[str, str]
) -> None:
    workshop.program(compiled(workshop, BEFORE, after=("engine",), args={"A": "1"}), go=go)

    assert workshop.program(compiled(workshop, earlier, after=("engine",), args=args), go=go).is_new


def test_other_flags_of_the_compiler_compile_again(
    workshop: Workshop, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.program(compiled(workshop), go=go)
    with_more = compiler.flags(tags=["more"])
    monkeypatch.setattr(compiler, "flags", lambda: with_more)

    assert workshop.program(compiled(workshop), go=go).is_new


def test_another_go_compiles_again(workshop: Workshop, go: Path) -> None:
    workshop.program(compiled(workshop), go=go)
    write(go / "go" / "bin" / "go", FAKE_GO.replace("1.99.0", "1.99.1"))

    assert workshop.program(compiled(workshop), go=go).is_new


def test_a_program_that_does_not_compile_is_told_in_the_compilers_words(workshop: Workshop, go: Path) -> None:
    write(workshop.root / "engine" / "main.go", "FAIL")
    with pytest.raises(ProgramError, match=r"image engine was not built: .*\n?.*that will not do"):
        workshop.program(compiled(workshop), go=go)


def test_a_context_without_a_module_is_refused(workshop: Workshop, go: Path) -> None:
    order = server(workshop, name="engine", containerfile="", task="compile-engine", context=("scheduler",))
    with pytest.raises(InvalidInputError, match=r"must name one folder with a go\.mod, and names 0"):
        workshop.program(order, go=go)


def test_references_without_a_digest_are_refused_at_once() -> None:
    assert building.parse_images([f"a={TOOLS}"]) == {"a": TOOLS}
    with pytest.raises(InvalidInputError) as raised:
        building.parse_images(["a=b:latest", "x", f"={TOOLS}"])
    assert len(raised.value.problems) == 3
