"""`modelops images`: the container images of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from scheduler import assets
from scheduler.assembly import folder
from scheduler.cli import examples, output
from scheduler.cli.output import Format, Output
from scheduler.images import build as building
from scheduler.images import lock as locking
from scheduler.images.buildah import Buildah, Storage
from scheduler.images.registry import HttpRegistry

app = typer.Typer(name="images", help="Container images: build those that are missing.", no_args_is_help=True)
_BUILD = examples.of(
    "modelops images build --registry 10.217.0.1:5000 --binaries /var/lib/modelops/bin --values images.yaml",
    "modelops images build --registry registry.example.com --base registry.example.com/debian:13",
)
_LIST = examples.of("modelops images list")
_LOCK = examples.of("modelops images lock")


@app.command("build", epilog=_BUILD)
def build(
    *,
    registry: Annotated[str, typer.Option("--registry", help="Where images are pushed to.")],
    pull_registry: Annotated[str, typer.Option(help="The same registry as the cluster's nodes name it.")] = "",
    base: Annotated[str, typer.Option(help="Image to start from; else <registry>/modelops/base:trixie.")] = "",
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="This image only; repeatable.")] = None,
    binaries: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Folder with programs; repeatable.")
    ] = None,
    storage: Annotated[Path | None, typer.Option(metavar="DIR", help="Where layers are kept, as a cache.")] = None,
    storage_driver: Annotated[str, typer.Option(envvar="STORAGE_DRIVER", help="overlay or vfs.")] = "",
    plain_http: Annotated[bool | None, typer.Option(help="The registry without TLS; else by its address.")] = None,
    values: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the images as Helm values.")] = None,
    form: Output = Format.TABLE,
) -> None:
    """Build and push the images that the registry does not have, in the order that the sub-charts ask for."""
    folder.assemble(assets.charts())  # charts go into images
    order = building.Order(
        root=assets.root(),
        registry=registry,
        base=base or f"{registry}/modelops/base:trixie",
        binaries=binaries or (),
        only=only or (),
    )
    with Buildah(storage=Storage(folder=storage, driver=storage_driver), plain_http=plain_http) as builder:
        made = building.images(
            order,
            builder=builder,
            registry=HttpRegistry(registry, plain_http=plain_http),
            tell=output.note,
            steps=building.declared(order.root),
        )
    found = building.named(made, push=registry, pull=pull_registry or registry)
    if values is not None:
        values.write_text(building.values_text(found))
    _show(found, form)


@app.command("list", epilog=_LIST)
def list_(form: Output = Format.TABLE) -> None:
    """List the images in the order in which they are built."""
    steps = building.declared(assets.root())
    if form is Format.TABLE:
        output.table(["IMAGE", "CHART", "AFTER"], ([step.name, step.chart, step.after] for step in steps))
    else:
        output.value([{"name": step.name, "chart": step.chart, "after": list(step.after)} for step in steps], form)


@app.command("lock", epilog=_LOCK)
def lock() -> None:
    """Resolve every requirement lock anew. Needs uv and the network; for developers of this project."""
    locking.write(assets.root(), tell=output.note)


def _show(found: Mapping[str, str], form: Format) -> None:
    if form is Format.TABLE:
        output.table(["IMAGE", "REFERENCE"], found.items())
    else:
        output.value(found, form)
