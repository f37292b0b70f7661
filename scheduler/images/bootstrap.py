"""The one image that is made outside the cluster, from which all others are built inside: container-tools."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence

from scheduler.errors import InvalidInputError
from scheduler.images import build, context, references
from scheduler.images.build import Order
from scheduler.images.port import Builder, Registry
from scheduler.images.step import BuildStep
from scheduler.model.problem import Problem


def images(order: Order, *, builder: Builder, registry: Registry, tell: Callable[[str], None]) -> Mapping[str, str]:
    """Image name -> reference by digest, of every build with `bootstrap: true`.

    What the machine or the registry lacks for it is refused before anything is built, all at once.
    """
    steps = build.declared(order.root)
    problems = lacking(order, registry, steps=steps)
    if problems:
        raise InvalidInputError(problems, summary="the image cannot be made here")
    only = [step.name for step in steps if step.bootstrap]
    wanted = Order(root=order.root, registry=order.registry, base=order.base, binaries=order.binaries, only=only)
    return build.images(wanted, builder=builder, registry=registry, tell=tell, steps=steps)


def lacking(order: Order, registry: Registry, *, steps: Sequence[BuildStep]) -> list[Problem]:
    """The sources, the programs and the base image that are not there, each with its remedy."""
    problems = []
    sources = sorted({path for step in steps if step.bootstrap for path in step.context})
    absent = [path for path in sources if not (order.root / path).exists()]
    if absent:
        message = (
            f"{order.root} has no {' and no '.join(absent)}, which an installed package lacks: name a checkout in "
        )
        problems.append(Problem(message=f"{message}MODELOPS_ASSETS, or install one with `pip install --editable`"))
    if shutil.which("buildah") is None:
        problems.append(Problem(message="buildah is not on PATH: install it; Debian's package is 'buildah'"))
    problems += [
        Problem(message=f"{name} is not on PATH: install it, or name the folder that has it with --binaries")
        for name in sorted({name for step in steps if step.bootstrap for name in step.programs})
        if context.find_program(name, order.binaries) is None
    ]
    if fault := references.fault(order.base):
        problems.append(Problem(pointer="--base", message=fault))
    elif registry.digest(order.base) is None:
        problems.append(
            Problem(
                message=f"the base image {order.base} is not in its registry: push a Debian 13 image with python3, "
                "python3-venv and ca-certificates there, or name another with --base"
            )
        )
    return problems
