"""A project to build images of, and what builds them, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from scheduler.golang.finding import Place
from scheduler.images import build
from scheduler.images.build import Made
from scheduler.images.fake import FakeBuilder, FakeRegistry, FakeStore
from scheduler.images.step import BuildStep
from scheduler.installation import building
from scheduler.installation.building import Compiling

REGISTRY: Final = "10.217.0.1:5000"
BASE: Final = f"{REGISTRY}/modelops/base:trixie"
DIGEST: Final = "sha256:" + "1" * 64
BASE_DIGEST: Final = "sha256:" + "b" * 64
"""What the tag of BASE names."""
TOOLS: Final = f"{REGISTRY}/modelops/container-tools@{DIGEST}"


class Workshop:
    """Builder and registry together, with what was told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = FakeStore()
        self.registry = FakeRegistry({BASE: BASE_DIGEST}, store=self.store)
        self.builder = FakeBuilder(self.registry)
        self.told: list[str] = []

    @property
    def built(self) -> list[str]:
        """Names of images, in order."""
        return [reference.split("/")[2].split(":")[0] for reference, _, _ in self.builder.built]

    def images(self, only: Sequence[str] = ()) -> dict[str, str]:
        """As `modelops images build` makes them."""
        order = build.Order(root=self.root, registry=REGISTRY, base=BASE, binaries=[self.root / "programs"], only=only)
        steps = build.declared(self.root)
        return dict(
            build.images(order, builder=self.builder, registry=self.registry, tell=self.told.append, steps=steps)
        )

    def order(self, step: BuildStep, earlier: Mapping[str, str] | None = None) -> building.Order:
        """One image, as a step of an installation is asked for it."""
        return building.Order(
            item=step, root=self.root, registry=REGISTRY, base=BASE, tools=TOOLS, earlier=earlier or {}
        )

    def image(self, order: building.Order) -> Made:
        return building.image(order, builder=self.builder, registry=self.registry)

    def program(self, order: building.Order, *, go: Path) -> Made:
        compiling = Compiling(
            place=Place(folder=go), environ={"GOPROXY": "theirs"}, limit_seconds=20, tell=self.told.append
        )
        return building.program(order, compiling, store=self.store, registry=self.registry)


def chart(root: Path, name: str, **declared: object) -> None:
    """A sub-chart with one build and its files."""
    folder = root / "charts" / "subcharts" / name
    write(folder / "build" / "Containerfile", "ARG BASE\nFROM ${BASE}")
    write(folder / "build" / "requirements.lock", "a==1")
    builds = [{"name": name, "containerfile": "build/Containerfile", **declared}]
    write(folder / "values.yaml", yaml.safe_dump({"builds": builds}))


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file
