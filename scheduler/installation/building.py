"""`build` and `compile`: one image, unless the registry has its content already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scheduler import command
from scheduler.errors import InvalidInputError
from scheduler.golang import compiler, finding
from scheduler.golang.finding import Place
from scheduler.images import build, content, context, program_image, references
from scheduler.images.build import Made
from scheduler.images.port import Builder, Registry
from scheduler.images.step import TOOLS, BuildStep
from scheduler.images.store import Store
from scheduler.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One image to make, and what there is already."""

    item: BuildStep
    root: Path
    """The project, as the image container-tools carries it."""
    registry: str
    """Where images are pushed to."""
    base: str
    tools: str
    """The image container-tools by digest, as builds name it."""
    earlier: Mapping[str, str]
    """Image name -> reference by digest, of the builds that came first."""

    def images(self) -> Mapping[str, str]:
        """The references of all that the step comes after; what it was not given is refused, all at once."""
        given = {**self.earlier, TOOLS: self.tools}
        problems = [
            Problem(pointer="earlier", message=f"{self.item.name} comes after '{name}', whose image was not given")
            for name in self.item.after
            if not given.get(name)
        ]
        if problems:
            raise InvalidInputError(problems)
        return {name: given[name] for name in self.item.after}


def image(order: Order, *, builder: Builder, registry: Registry) -> Made:
    """The image of a Containerfile."""
    return build.one(
        order.item,
        context.gather(order.item, root=order.root),
        order=_bare(order),
        earlier=order.images(),
        builder=builder,
        registry=registry,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiling:
    """How Go programs are compiled here."""

    place: Place
    """Where a Go is kept that had to be fetched."""
    environ: Mapping[str, str]
    """Where modules come from, and whom to trust; laid upon our own environment."""
    limit_seconds: float
    tell: Callable[[str], None]


def program(order: Order, compiling: Compiling, *, store: Store, registry: Registry) -> Made:
    """The image of a Go program, which is named like the step: `FROM scratch`, with `/<name>` alone.

    Its content is the module's sources, go.mod, go.sum and the version of Go; nothing is fetched when it is there.
    """
    module = _module(order)
    version = finding.version([module], compiling.place)
    tag = content.tag(
        containerfile=context.of_program(order.item, Path()).containerfile,
        files=context.described({source.relative_to(module).as_posix(): source for source in compiler.sources(module)}),
        args={**order.item.args, "GO": version, "FLAGS": " ".join(compiler.flags())},
        base_digest="",
        earlier_digests={name: made.rpartition("@")[2] for name, made in order.images().items()},
    )

    def make(folder: Path) -> str:
        go = finding.find([module], compiling.place, compiling.tell)
        made = folder / order.item.name
        words: list[str | Path] = [go, "build", "-v", *compiler.flags(), "-o", made, "."]
        environ = {**compiling.environ, **compiler.ENVIRON}
        limit = compiling.limit_seconds
        command.follow(words, limit_seconds=limit, tell=compiling.tell, environ=environ, folder=module)
        repository = references.repository(order.registry, order.item.name)
        return program_image.push(made, repository=repository, tag=tag, store=store)

    return build.ensure(order.item.name, tag, order=_bare(order), make=make, registry=registry)


def _bare(order: Order) -> build.Order:
    return build.Order(root=order.root, registry=order.registry, base=order.base)


def _module(order: Order) -> Path:
    """The one folder of the context with a go.mod."""
    found = [folder for folder in context.folders(order.item, root=order.root) if (folder / "go.mod").is_file()]
    if len(found) != 1:
        message = f"{order.item.name}: its context must name one folder with a go.mod, and names {len(found)}"
        document = f"{order.item.chart}/values.yaml"
        raise InvalidInputError([Problem(document=document, pointer="/builds", message=message)])
    return found[0]


def parse_images(pairs: Sequence[str]) -> Mapping[str, str]:
    """`<name>=<reference by digest>` as a mapping; every one that is not so is refused, all at once."""
    parsed = [pair.partition("=") for pair in pairs]
    problems = [
        Problem(message=f"'{name}{equals}{reference}' is not <name>=<reference>@sha256:<digest>")
        for name, equals, reference in parsed
        if not name or "@sha256:" not in reference
    ]
    if problems:
        raise InvalidInputError(problems)
    return {name: reference for name, _, reference in parsed}
