"""`modelops bundle`: a platform's images and charts in one archive."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import yaml

import scheduler
from scheduler import assets, names
from scheduler.bundle import contents, creating, loading
from scheduler.bundle.contents import Contents
from scheduler.cli import closing, examples, output, targets
from scheduler.cli.output import Format, Output
from scheduler.errors import InvalidInputError
from scheduler.helm.pyhelm import HelmProgram
from scheduler.images import logins, references
from scheduler.images.connection import Connection
from scheduler.images.http_store import HttpStore
from scheduler.model.problem import Problem
from scheduler.model.types import Values
from scheduler.preprocess.merge import merge

app = typer.Typer(
    name="bundle",
    help="All images and charts of a platform in one archive, for a site without network.",
    no_args_is_help=True,
)
_CREATE = examples.of(
    "modelops bundle create modelops.tar --release modelops --namespace modelops",
    "modelops bundle create modelops.tar --values tools.yaml --values images.yaml",
)
_LOAD = examples.of(
    "modelops bundle load modelops.tar registry.site.example --values images.yaml --charts charts",
    f"helm install modelops charts/modelops-{scheduler.__version__}.tgz --namespace modelops --create-namespace "
    "--values images.yaml",
)
_PlainHttp = Annotated[bool | None, typer.Option(help="The registry without TLS; else by its address.")]


@app.command("create", epilog=_CREATE)
def create(
    archive: Annotated[Path, typer.Argument(help="The archive to write.")],
    *,
    values: Annotated[
        list[Path] | None, typer.Option("--values", metavar="FILE", help="Helm values with the images; repeatable.")
    ] = None,
    release: Annotated[str, typer.Option("--release", help="Instead: the images of this platform.")] = "",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where that platform is.")] = "modelops",
    registry: Annotated[str, typer.Option("--registry", help="The registry as this machine names it.")] = "",
    plain_http: _PlainHttp = None,
    form: Output = Format.TABLE,
) -> None:
    """Write all images of a platform (an OCI layout), its charts, and the digest of each into one archive.

    Equal images and charts make the same bytes.
    """
    replaced = archive.parent if archive.exists() else None
    targets.check(registries={"--registry": registry}, files={"ARCHIVE": archive}, folders={"ARCHIVE": replaced})
    given = _values(values or [], release, namespace)
    pull = contents.pull_registry(given)
    images = contents.wanted(given)
    if registry and pull:
        images = {
            name: registry + one.removeprefix(pull) if one.startswith(f"{pull}/") else one
            for name, one in images.items()
        }
    charts = [assets.charts() / "modelops"]
    made = creating.create(archive, images, charts, store_of=_stores(plain_http), tell=output.note)
    _show(made, form)


@app.command("load", epilog=_LOAD)
def load(
    archive: Annotated[Path, typer.Argument(help="What `modelops bundle create` wrote.")],
    registry: Annotated[str, typer.Argument(help="Where the images go, as this machine names it.")],
    *,
    pull_registry: Annotated[str, typer.Option(help="The same registry as the cluster's nodes name it.")] = "",
    values: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Helm values that deploy them.")] = None,
    charts: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the charts there.")] = None,
    plain_http: _PlainHttp = None,
    form: Output = Format.TABLE,
) -> None:
    """Push a bundle's images into a registry, and write its charts and the values that install them without a build.

    The whole archive is read and checked first: of one that was cut or changed nothing is pushed, and the error names
    image, part and digest.
    """
    targets.check(
        registries={"REGISTRY": registry, "--pull-registry": pull_registry},
        files={"--values": values},
        folders={"--charts": charts},
    )
    store = _stores(plain_http)(references.host(registry))
    found = loading.load(archive, registry=registry, store=store, charts=charts, tell=output.note)
    made = contents.values_of(found, push=registry, pull=pull_registry or registry)
    if values is not None:
        values.write_text(yaml.safe_dump(made))
    _show(found, form)


def _values(files: list[Path], release: str, namespace: str) -> Values:
    if bool(files) == bool(release):
        raise InvalidInputError([Problem(message="give either --values or --release: they say which images there are")])
    if release:
        return HelmProgram().values(names.applications_release(release), namespace=namespace)
    found: Values = {}
    for file in files:
        try:
            text = yaml.safe_load(file.read_text()) or {}
        except (OSError, yaml.YAMLError) as error:
            raise InvalidInputError([Problem(document=str(file), message=f"cannot be read: {error}")]) from error
        if not isinstance(text, dict):
            raise InvalidInputError([Problem(document=str(file), message="must be a mapping")])
        found = merge(found, text)
    return found


def _stores(plain_http: bool | None) -> Callable[[str], HttpStore]:  # noqa: FBT001 - three states
    known = logins.load(logins.of_machine(os.environ))
    stores: dict[str, HttpStore] = {}

    def of(host: str) -> HttpStore:
        if host not in stores:
            connection = Connection(host, logins=known, plain_http=plain_http)
            closing.later(connection.close)
            stores[host] = HttpStore(connection)
        return stores[host]

    return of


def _show(found: Contents, form: Format) -> None:
    if form is Format.TABLE:
        output.table(["WHAT", "DIGEST"], [*found.images.items(), *found.charts.items()])
    else:
        output.value({"platform": found.platform, "images": found.images, "charts": found.charts}, form)
