"""Builds the images that are wanted and not in the registry yet."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from scheduler.errors import NotFoundError, ProgramError
from scheduler.images import content, context, plan, step
from scheduler.images.port import Builder, Registry
from scheduler.images.step import BuildStep


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


def values_text(made: Mapping[str, str]) -> str:
    """The references as Helm values of the platform's chart, YAML."""
    return yaml.safe_dump({"global": {"images": dict(made)}})


def images(
    order: Order, *, builder: Builder, registry: Registry, tell: Callable[[str], None], steps: Sequence[BuildStep]
) -> Mapping[str, str]:
    """Image name -> reference by digest, for every wanted step and those that it comes after.

    An image whose content is in the registry already is not built again.
    """
    base_digest = registry.digest(order.base)
    if base_digest is None:
        raise NotFoundError(f"the base image {order.base} is not in its registry; `modelops cluster up` puts it there")
    wanted = plan.only(steps, order.only)
    made: dict[str, str] = {}
    for number, item in enumerate(wanted, start=1):
        started = time.monotonic()
        reference, is_new = _one(item, order, base_digest, made, builder=builder, registry=registry)
        made[item.name] = reference
        what = f"built in {time.monotonic() - started:.0f} s" if is_new else "is there already"
        tell(f"image {number} of {len(wanted)}: {item.name} {what}")
    return made


def _one(
    item: BuildStep,
    order: Order,
    base_digest: str,
    made: Mapping[str, str],
    *,
    builder: Builder,
    registry: Registry,
) -> tuple[str, bool]:
    """The image's reference by digest, and whether it had to be built."""
    earlier = {name: made[name] for name in item.after}
    found = context.gather(item, root=order.root, binaries=order.binaries)
    tag = content.tag(
        containerfile=found.containerfile,
        files=found.files(),
        args=item.args,
        base_digest=base_digest,
        earlier_digests={name: reference.rpartition("@")[2] for name, reference in earlier.items()},
    )
    repository = f"{order.registry}/modelops/{item.name}"
    digest = registry.digest(f"{repository}:{tag}")
    if digest is not None:
        return f"{repository}@{digest}", False
    arguments = {**item.args, "BASE": order.base, **{step.argument(name): made for name, made in earlier.items()}}
    with tempfile.TemporaryDirectory(prefix="modelops-context-") as folder:
        target = Path(folder) / "context"
        target.mkdir()
        containerfile = found.lay_out(target)
        try:
            builder.build(reference=f"{repository}:{tag}", folder=target, containerfile=containerfile, args=arguments)
            digest = builder.push(f"{repository}:{tag}")
        except ProgramError as error:
            raise ProgramError(f"image {item.name} was not built: {error}", output=error.output) from error
    return f"{repository}@{digest}", True
