"""The image that is made outside a cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scheduler.errors import InvalidInputError
from scheduler.images import bootstrap, build
from scheduler.images.build import Order
from scheduler.images.fake import FakeBuilder, FakeRegistry

REGISTRY = "10.217.0.1:5000"
BASE = f"{REGISTRY}/base:trixie"


def _program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh")
    (folder / name).chmod(0o755)


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    tools = {"bootstrap": True, "programs": ["helm"]}
    for name, more in (("container-tools", tools), ("server", {"after": ["container-tools"]})):
        folder = tmp_path / "charts" / "subcharts" / name
        (folder / "build").mkdir(parents=True)
        (folder / "build" / "Containerfile").write_text("ARG BASE\nFROM ${BASE}")
        builds = [{"name": name, "containerfile": "build/Containerfile", **more}]
        (folder / "values.yaml").write_text(yaml.safe_dump({"builds": builds}))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return Order(root=tmp_path, registry=REGISTRY, base=BASE, binaries=[tmp_path / "programs"])


def test_only_what_comes_before_the_installation_is_made(order: Order, tmp_path: Path) -> None:
    _program(tmp_path / "programs", "helm")
    _program(tmp_path / "path", "buildah")
    registry = FakeRegistry({BASE: "sha256:base"})
    builder = FakeBuilder(registry)

    made = bootstrap.images(order, builder=builder, registry=registry, tell=lambda _: None)

    assert list(made) == ["container-tools"]
    assert [paths for _, _, paths in builder.built] == [("bin/helm",)]


def test_all_that_is_lacking_is_told_at_once_with_what_to_do(order: Order) -> None:
    registry = FakeRegistry()
    with pytest.raises(InvalidInputError) as raised:
        bootstrap.images(order, builder=FakeBuilder(registry), registry=registry, tell=lambda _: None)
    assert [problem.message.split(":")[0] for problem in raised.value.problems] == [
        "buildah is not on PATH",
        "helm is not on PATH",
        "the base image 10.217.0.1",
    ]
    assert "--binaries" in str(raised.value)
    assert "--base" in str(raised.value)


def test_an_installed_package_is_told_from_a_checkout(order: Order) -> None:
    values = order.root / "charts" / "subcharts" / "container-tools" / "values.yaml"
    declared = yaml.safe_load(values.read_text())
    declared["builds"][0]["context"] = ["charts", "pyproject.toml", "scheduler"]
    values.write_text(yaml.safe_dump(declared))
    registry = FakeRegistry()

    with pytest.raises(InvalidInputError, match=r"has no pyproject\.toml and no scheduler, which") as raised:
        bootstrap.images(order, builder=FakeBuilder(registry), registry=registry, tell=lambda _: None)

    assert "MODELOPS_ASSETS" in str(raised.value)


def test_a_base_without_a_registry_is_told_with_all_else_that_is_lacking(order: Order) -> None:
    registry = FakeRegistry()
    order = replace(order, base="debian:trixie")
    with pytest.raises(InvalidInputError) as raised:
        bootstrap.images(order, builder=FakeBuilder(registry), registry=registry, tell=lambda _: None)
    assert len(raised.value.problems) == 3
    assert "--base: 'debian:trixie' names no registry" in str(raised.value)


def test_the_values_name_the_image_and_both_names_of_the_registry() -> None:
    text = build.tools_values_text("p/modelops/container-tools@sha256:1", push="r", pull="p", base="r/base:x")
    assert yaml.safe_load(text) == {
        "global": {
            "registry": {"push": "r", "pull": "p"},
            "build": {"tools": "p/modelops/container-tools@sha256:1", "base": "r/base:x"},
        }
    }
