"""The engine's own Go: its tests, and what the compiler's linter says of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from scheduler import command
from scheduler.devcluster import go, toolchain
from scheduler.devcluster.home import Home
from scheduler.golang import compiler as golang

pytestmark = [pytest.mark.bento, pytest.mark.timeout(900)]

FLAGS: Final = ("-trimpath", "-buildvcs=false")
"""As the program itself is built, so that Go compiles its modules once."""


@pytest.fixture(scope="module")
def compiler() -> Path:
    """The machine's Go or, where that is too old, the one that `make up` brought."""
    return go.find(Home.from_environ(os.environ), print)


def run(compiler: Path, *words: str, folder: Path) -> str:
    return command.run([compiler, *words], limit_seconds=840, environ=golang.ENVIRON, folder=folder)


def test_the_engine_passes_its_own_tests(compiler: Path) -> None:
    said = run(compiler, "test", *FLAGS, "-count=1", "./...", folder=toolchain.BENTO.folder)

    assert said.startswith("ok")


@pytest.mark.parametrize(
    "folder",
    sorted({program.folder for program in toolchain.programs() if list(program.folder.glob("*.go"))}),
    ids=lambda folder: folder.name,
)
def test_vet_finds_nothing_in_our_go(compiler: Path, folder: Path) -> None:
    assert run(compiler, "vet", *FLAGS, "./...", folder=folder) == ""
