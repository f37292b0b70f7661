"""Builds the images that are wanted and not in the registry yet."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from scheduler.errors import InvalidInputError, NotFoundError, ProgramError
from scheduler.images import content, context, plan, references, step
from scheduler.images.context import Context
from scheduler.images.port import Builder, Registry
from scheduler.images.step import BuildStep
from scheduler.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build, and from what."""

    root: Path
    """The project: a checkout, or /opt/modelops in an image."""
    registry: str
    base: str
    """Reference of the image that all others start from."""
    binaries: Sequence[Path] = ()
    """Folders with programs that go into images."""
    only: Sequence[str] = field(default_factory=tuple)
    """Names of images; empty: all."""


def declared(root: Path) -> tuple[BuildStep, ...]:
    """The builds of every sub-chart below `root`, in build order."""
    files = sorted((root / "charts" / "subcharts").glob("*/values.yaml"))
    return plan.order(
        found for file in files for found in step.load(file.parent.name, yaml.safe_load(file.read_text()) or {})
    )


def named(made: Mapping[str, str], *, push: str, pull: str) -> Mapping[str, str]:
    """The references with the registry's name as the cluster's nodes know it."""
    return {name: pull + reference.removeprefix(push) for name, reference in made.items()}


def tools_values_text(reference: str, *, push: str, pull: str, base: str) -> str:
    """What an installation needs to know of the image that was made before it, as Helm values, YAML.

    `base` is by digest: the same values build the same images later, whatever its tag names then.
    """
    build = {"tools": reference, "base": base}
    return yaml.safe_dump({"global": {"registry": {"push": push, "pull": pull}, "build": build}})


def values_text(made: Mapping[str, str]) -> str:
    """The references as Helm values of the platform's chart, YAML."""
    return yaml.safe_dump({"global": {"images": dict(made)}})


def images(
    order: Order, *, builder: Builder, registry: Registry, tell: Callable[[str], None], steps: Sequence[BuildStep]
) -> Mapping[str, str]:
    """Image name -> reference by digest, for every wanted step and those that it comes after.

    An image whose content is in the registry already is not built again. A step that is a task in the cluster has its
    image made from the program of its name here.
    """
    wanted = plan.only(steps, order.only)
    made: dict[str, str] = {}
    for number, item in enumerate(wanted, start=1):
        started = time.monotonic()
        found = _found(item, order)
        image = one(
            item,
            found,
            order=order,
            earlier={name: made[name] for name in item.after},
            builder=builder,
            registry=registry,
        )
        made[item.name] = image.reference
        what = f"built in {time.monotonic() - started:.0f} s" if image.is_new else "is there already"
        tell(f"image {number} of {len(wanted)}: {item.name} {what}")
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An image that the registry has."""

    reference: str
    """By digest."""
    tag: str
    is_new: bool
    """Whether it had to be built."""


def one(
    item: BuildStep,
    found: Context,
    *,
    order: Order,
    earlier: Mapping[str, str],
    builder: Builder,
    registry: Registry,
) -> Made:
    """The image of a step, from its context and the references of the images it comes after."""
    files = found.files()  # what is wrong with them is said whatever the registry says
    base = "" if item.task else by_digest(order.base, registry)
    tag = content.tag(
        containerfile=found.containerfile,
        files=files,
        args=item.args,
        base_digest=base.rpartition("@")[2],
        earlier_digests={name: reference.rpartition("@")[2] for name, reference in earlier.items()},
    )
    arguments = {
        **item.args,
        "BASE": base or order.base,
        **{step.argument(name): made for name, made in earlier.items()},
    }
    reference = _reference(item.name, tag, order)

    def make(folder: Path) -> str:
        containerfile = found.lay_out(folder)
        builder.build(reference=reference, folder=folder, containerfile=containerfile, args=arguments)
        return builder.push(reference)

    return ensure(item.name, tag, order=order, make=make, registry=registry)


def ensure(name: str, tag: str, *, order: Order, make: Callable[[Path], str], registry: Registry) -> Made:
    """The image with that content tag: as the registry has it, else as `make` puts it there.

    `make` works in the empty folder that it is given, and returns the digest; it is not called when the image is there.
    """
    reference = _reference(name, tag, order)
    digest = registry.digest(reference)
    is_new = digest is None
    if digest is None:
        with tempfile.TemporaryDirectory(prefix="modelops-context-") as folder:
            target = Path(folder) / "context"
            target.mkdir()
            try:
                digest = make(target)
            except ProgramError as error:
                raise ProgramError(f"image {name} was not built: {error}", output=error.output) from error
    return Made(reference=f"{reference.removesuffix(f':{tag}')}@{digest}", tag=tag, is_new=is_new)


def _reference(name: str, tag: str, order: Order) -> str:
    return f"{references.image(order.registry, name)}:{tag}"


def by_digest(reference: str, registry: Registry) -> str:
    """The image that builds start from, by the digest that it has now.

    NotFoundError with the remedy when it is not there. A reference that does not say where the image is is refused.
    """
    if fault := references.fault(reference):
        raise InvalidInputError([Problem(pointer="base", message=fault)])
    digest = registry.digest(reference)
    if digest is None:
        raise NotFoundError(
            f"the base image {reference} is not in its registry; push any Debian 13 image with python3, python3-venv "
            "and ca-certificates there and name it as --base (`modelops cluster up` puts one into its own registry)"
        )
    host, repository, _ = references.split(reference)
    return f"{host}/{repository}@{digest}"


def _found(item: BuildStep, order: Order) -> Context:
    if not item.task:
        return context.gather(item, root=order.root, binaries=order.binaries)
    program = context.find_program(item.name, order.binaries)
    if program is None:
        message = (
            f"{item.name}: its task runs in the cluster only, and no program '{item.name}' is here to take instead"
        )
        raise InvalidInputError([Problem(document=f"{item.chart}/values.yaml", pointer="/builds", message=message)])
    return context.of_program(item, program)
