"""`python -m scheduler.images build | list | lock`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scheduler import assets
from scheduler.assembly import folder
from scheduler.errors import SchedulerError
from scheduler.images import build, lock
from scheduler.images.buildah import Buildah, Storage
from scheduler.images.registry import HttpRegistry


def main(argv: Sequence[str] | None = None) -> int:
    """0 when done, 1 with the reason on standard error."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except SchedulerError as error:
        print(f"modelops images: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scheduler.images", description="Container images of the project.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    made = commands.add_parser("build", help="build the images that the registry does not have, and push them")
    made.add_argument("--registry", required=True, help="where images are pushed to, such as 10.217.0.1:5000")
    made.add_argument("--pull-registry", default="", help="the same registry as the cluster's nodes name it")
    made.add_argument("--base", default="", help="image to start from (default: <registry>/modelops/base:trixie)")
    made.add_argument("--only", action="append", default=[], metavar="NAME", help="this image only; may be repeated")
    made.add_argument("--binaries", action="append", default=[], type=Path, metavar="DIR", help="folder with programs")
    made.add_argument("--storage", type=Path, default=None, metavar="DIR", help="buildah's layers; kept, a cache")
    made.add_argument("--storage-driver", default=os.environ.get("STORAGE_DRIVER", ""), help="overlay | vfs")
    made.add_argument("--output", type=Path, default=None, metavar="FILE", help="JSON: image -> reference by digest")
    made.add_argument("--values", type=Path, default=None, metavar="FILE", help="the same as Helm values")
    made.add_argument("--plain-http", action=argparse.BooleanOptionalAction, default=None, help="registry without TLS")
    made.set_defaults(run=_build)

    listed = commands.add_parser("list", help="the images in build order")
    listed.set_defaults(run=_list)

    locked = commands.add_parser("lock", help="resolve every requirement lock anew (needs uv and the network)")
    locked.set_defaults(run=lambda _: lock.write(assets.root(), tell=_tell))
    return parser


def _build(arguments: argparse.Namespace) -> None:
    folder.assemble(assets.charts())  # charts go into images
    order = build.Order(
        root=assets.root(),
        registry=arguments.registry,
        base=arguments.base or f"{arguments.registry}/modelops/base:trixie",
        binaries=arguments.binaries,
        only=arguments.only,
    )
    registry = HttpRegistry(arguments.registry, plain_http=arguments.plain_http)
    storage = Storage(folder=arguments.storage, driver=arguments.storage_driver)
    with Buildah(storage=storage, plain_http=arguments.plain_http) as builder:
        made = build.images(order, builder=builder, registry=registry, tell=_tell, steps=build.declared(order.root))
    made = build.named(made, push=arguments.registry, pull=arguments.pull_registry or arguments.registry)
    _write(made, output=arguments.output, values=arguments.values)


def _write(made: Mapping[str, str], *, output: Path | None, values: Path | None) -> None:
    text = json.dumps(made, indent=2) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text)
    if values is not None:
        values.write_text(build.values_text(made))


def _list(_: argparse.Namespace) -> None:
    for item in build.declared(assets.root()):
        print(f"{item.name}\t{item.chart}\t{', '.join(item.after)}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
