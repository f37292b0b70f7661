"""What buildah is started with; that it builds is told by tests/contract/test_image_builder.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.images.buildah import Buildah, Storage
from tests.unit.images.workshop import REGISTRY

OUTSIDE = "registry.example.com/modelops/flow:1"
Build = Callable[..., str]


@pytest.fixture(name="build")
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Build an image with a program that builds nothing; what it had in NO_PROXY and no_proxy."""
    program = tmp_path / "buildah"
    program.write_text(f'#!/bin/sh\nprintf "%s|%s" "$NO_PROXY" "$no_proxy" > {tmp_path}/said\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    def build(reference: str, **args: str) -> str:
        with Buildah(storage=Storage(), settings=tmp_path) as builder:
            builder.build(reference=reference, folder=tmp_path, containerfile=program, args=args)
        return (tmp_path / "said").read_text()

    return build


@pytest.mark.parametrize(
    ("references", "said"),
    [
        ((f"{REGISTRY}/modelops/flow:1",), "10.217.0.1"),
        (("[fd00::1]:5000/modelops/flow:1",), "fd00::1"),
        ((OUTSIDE,), ""),
        ((OUTSIDE, "192.168.1.1/base:trixie"), "192.168.1.1"),
        ((f"{REGISTRY}/modelops/flow:1", f"{REGISTRY}/base:1"), "10.217.0.1"),
    ],
)
def test_a_registry_at_a_private_address_is_not_asked_of_the_proxy(
    build: Build, references: tuple[str, ...], said: str
) -> None:
    base = {"BASE": references[1]} if len(references) > 1 else {}
    assert build(references[0], FLAGS="-v https://x", **base) == f"{said}|{said}"


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_what_was_excepted_stays_so(build: Build, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, ".svc,localhost")
    said = ".svc,localhost,10.217.0.1"
    assert build(f"{REGISTRY}/modelops/flow:1") == f"{said}|{said}"


def test_a_push_is_not_asked_of_the_proxy_either(build: Build, tmp_path: Path) -> None:
    with Buildah(storage=Storage(), settings=tmp_path, has_layers=False) as builder:
        builder.push(f"{REGISTRY}/modelops/flow:1")
    assert (tmp_path / "said").read_text() == "10.217.0.1|10.217.0.1"
