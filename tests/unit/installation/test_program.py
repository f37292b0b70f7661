"""The programs `build`, `compile` and `deploy`: however they fail, they say why in their result."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.installation import __main__ as program
from scheduler.installation import outcome
from scheduler.installation.outcome import Outcome, State
from tests.unit.images.workshop import BASE, REGISTRY, chart, write


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    chart(tmp_path, "server")
    write(tmp_path / "engine" / "go.mod", "module engine\n\ngo 1.98\n")
    monkeypatch.setenv("MODELOPS_ASSETS", str(tmp_path))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "none"))
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


def run(root: Path, name: str, *options: str, **step: object) -> tuple[int, Outcome]:
    declared = {"chart": "server", "name": "server", **step}
    said = root / "outcome"
    words = [name, f"--step={json.dumps(declared)}", f"--registry={REGISTRY}", f"--base={BASE}"]
    code = program.main([*words, f"--result={root / 'reference'}", f"--outcome={said}", *options])
    return code, outcome.parse(said.read_text()) or pytest.fail("no outcome")


def test_a_base_without_a_registry_is_a_failed_outcome_with_the_remedy(root: Path) -> None:
    code, said = run(root, "build", "--base=python:3.13-slim", containerfile="build/Containerfile")

    assert (code, said.state) == (1, State.FAILED)
    assert "docker.io/library/python:3.13-slim" in said.message


def test_a_context_that_cannot_be_read_is_a_failed_outcome_with_the_files_name(root: Path) -> None:
    (root / "charts" / "subcharts" / "server" / "build" / "data").symlink_to("nowhere")

    code, said = run(root, "build", containerfile="build/Containerfile")

    assert (code, said.state) == (1, State.FAILED)
    assert "data: cannot be read" in said.message


def test_a_fault_that_nobody_foresaw_is_a_failed_outcome(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "engine" / "go.mod").write_bytes(b"\xff")

    code, said = run(root, "compile", task="compile-engine", context=["engine"])

    assert (code, said.state) == (1, State.FAILED)
    assert "UnicodeDecodeError" in said.message
    assert "Traceback" in caplog.text


def test_a_deployment_without_its_values_is_a_failed_outcome(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(root / "none"))
    places = [
        "--release=modelops",
        "--namespace=modelops",
        f"--values={root / 'none.json'}",
        "--values-digest=sha256:a",
    ]

    code = program.main(["deploy", *places, f"--result={root / 'result'}"])

    said = outcome.parse((root / "result").read_text())
    assert code == 1
    assert said is not None
    assert said.state is State.FAILED
