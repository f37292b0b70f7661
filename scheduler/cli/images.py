"""`modelops images`: the container images of the platform."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from scheduler import assets
from scheduler.assembly import folder
from scheduler.cli import examples, output, targets
from scheduler.cli.output import Format, Output
from scheduler.images import bootstrap as bootstrapping
from scheduler.images import build as building
from scheduler.images import lock as locking
from scheduler.images import logins, network
from scheduler.images.buildah import Buildah, Storage
from scheduler.images.registry import HttpRegistry
from scheduler.images.step import TOOLS

app = typer.Typer(name="images", help="Container images: build those that are missing.", no_args_is_help=True)
_BUILD = examples.of(
    "modelops images build --registry 10.217.0.1:5000 --binaries /var/lib/modelops/bin --values images.yaml",
    "modelops images build --registry registry.example.com --base registry.example.com/debian:13",
)
_BOOTSTRAP = examples.of(
    "modelops images bootstrap registry.example.com --base registry.example.com/debian:13 --values tools.yaml",
    "modelops images bootstrap 10.217.0.1:5000 --binaries /var/lib/modelops/bin --values tools.yaml",
)
_SETTINGS = examples.of(
    "modelops images settings --namespace modelops-builds | kubectl apply --server-side -f -",
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
    targets.check(registries={"--registry": registry, "--pull-registry": pull_registry}, files={"--values": values})
    folder.assemble(assets.charts())  # charts go into images
    order = building.Order(
        root=assets.root(),
        registry=registry,
        base=base or f"{registry}/modelops/base:trixie",
        binaries=binaries or (),
        only=only or (),
    )
    with _builder(storage, storage_driver, plain_http) as builder:
        made = building.images(
            order,
            builder=builder,
            registry=_registry(registry, plain_http),
            tell=output.note,
            steps=building.declared(order.root),
        )
    found = building.named(made, push=registry, pull=pull_registry or registry)
    if values is not None:
        values.write_text(building.values_text(found))
    _show(found, form)


@app.command("bootstrap", epilog=_BOOTSTRAP)
def bootstrap(
    registry: Annotated[str, typer.Argument(help="Where the image is pushed to, as pods name it.")],
    *,
    pull_registry: Annotated[str, typer.Option(help="The same registry as the cluster's nodes name it.")] = "",
    base: Annotated[str, typer.Option(help="Image to start from; else <registry>/modelops/base:trixie.")] = "",
    binaries: Annotated[list[Path] | None, typer.Option(metavar="DIR", help="Folder with helm; repeatable.")] = None,
    storage: Annotated[Path | None, typer.Option(metavar="DIR", help="Where layers are kept, as a cache.")] = None,
    storage_driver: Annotated[str, typer.Option(envvar="STORAGE_DRIVER", help="overlay or vfs.")] = "",
    plain_http: Annotated[bool | None, typer.Option(help="The registry without TLS; else by its address.")] = None,
    values: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Helm values for the installation.")] = None,
    form: Output = Format.TABLE,
) -> None:
    """Put container-tools into a registry: the one image that an installation needs to build all others.

    The values name the base image by the digest that it has now: builds start from that one until this is done again.

    It takes buildah, helm and no Docker. Logins of registries are those of buildah, podman or docker on this machine.
    """
    targets.check(registries={"REGISTRY": registry, "--pull-registry": pull_registry}, files={"--values": values})
    folder.assemble(assets.charts())  # charts go into images
    order = building.Order(
        root=assets.root(),
        registry=registry,
        base=base or f"{registry}/modelops/base:trixie",
        binaries=binaries or (),
    )
    asked = _registry(registry, plain_http)
    with _builder(storage, storage_driver, plain_http) as builder:
        made = bootstrapping.images(order, builder=builder, registry=asked, tell=output.note)
    pull = pull_registry or registry
    found = building.named(made, push=registry, pull=pull)
    if values is not None:
        by_digest = building.by_digest(order.base, asked)
        values.write_text(building.tools_values_text(found[TOOLS], push=registry, pull=pull, base=by_digest))
    _show(found, form)


@app.command("settings", epilog=_SETTINGS)
def settings(
    *,
    name: Annotated[str, typer.Option("--name", help="Of the Secret: global.build.settingsSecret.")] = "build-settings",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Of the builds; else the one of kubectl.")] = "",
) -> None:
    """Print a Secret with what builds need to reach package archives as this machine does: pip, apt, go, certificates.

    No path of this machine is in it; logins that pip's settings hold are.
    """
    found = network.manifest(network.machine(os.environ), name=name, namespace=namespace)
    output.value(found, Format.YAML)


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


def _builder(storage: Path | None, driver: str, plain_http: bool | None) -> Buildah:  # noqa: FBT001 - three states
    authentication = logins.of_machine(os.environ)
    return Buildah(storage=Storage(folder=storage, driver=driver), plain_http=plain_http, authentication=authentication)


def _registry(name: str, plain_http: bool | None) -> HttpRegistry:  # noqa: FBT001 - as above
    return HttpRegistry(name, plain_http=plain_http, logins=logins.load(logins.of_machine(os.environ)))


def _show(found: Mapping[str, str], form: Format) -> None:
    if form is Format.TABLE:
        output.table(["IMAGE", "REFERENCE"], found.items())
    else:
        output.value(found, form)
