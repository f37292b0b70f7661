"""`python -m scheduler.installation build|compile|deploy|start|remove`: a step of an installation, or a hook of it.

Ends with 0 when it succeeded and 1 when it did not, its results written before; with 143 when it was asked to end by
SIGTERM, and then without results. The last line says how it ended.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scheduler import assets
from scheduler.cluster.port import Cluster
from scheduler.errors import SchedulerError
from scheduler.installation import remedies
from scheduler.installation.outcome import Outcome, State
from scheduler.release.stop import EXIT_CODE, Stop, StoppedError

if TYPE_CHECKING:
    from scheduler.images.build import Made
    from scheduler.images.logins import Login
    from scheduler.images.port import Registry
    from scheduler.installation.building import Order

_SETTINGS: Final = Path("/run/modelops/settings")
_DOCKER: Final = Path("/run/modelops/docker")
_RESERVE_SECONDS: Final = 20.0
"""What a step keeps of its time to tell why it gave up, before Tekton ends it."""
_log = logging.getLogger("scheduler.installation")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    level = os.environ.get("MODELOPS_LOG_LEVEL", "info").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("httpx").setLevel("WARNING")
    try:
        return _PROGRAMS[options.program](options)
    except StoppedError as stopped:
        print(f"{options.program}: {stopped}", flush=True)
        return EXIT_CODE


def _image(options: argparse.Namespace) -> int:
    """`build` and `compile`."""
    began = time.monotonic()
    try:
        made, tag, is_new = _made(options, deadline=began + options.seconds - _RESERVE_SECONDS)
    except Exception as error:  # noqa: BLE001 - a step that ends without an outcome tells nobody why
        return _failed(options, error, began, options.outcome)
    options.result.write_text(made)
    state = State.BUILT if is_new else State.SKIPPED
    done = Outcome(state=state, seconds=_since(began), tag=tag)
    options.outcome.write_text(done.text())
    print(f"{options.program}: {made} {'built' if is_new else 'is there already'} ({done.seconds} s)", flush=True)
    return 0


def _made(options: argparse.Namespace, *, deadline: float) -> tuple[str, str, bool]:
    from scheduler.images import logins, step  # noqa: PLC0415 - each program starts with its own imports only
    from scheduler.images.registry import HttpRegistry  # noqa: PLC0415
    from scheduler.installation import building  # noqa: PLC0415

    order = building.Order(
        item=step.parse(options.step),
        root=assets.root(),
        registry=options.registry,
        base=options.base,
        tools=options.tools,
        earlier=building.parse_images(options.earlier),
    )
    docker = logins.find(Path(os.environ.get("REGISTRY_AUTH_FILE") or _DOCKER))
    known = logins.load(docker)
    registry = HttpRegistry(options.registry, logins=known)
    if options.program == "build":
        made = _built(options, order, registry=registry, authentication=docker, deadline=deadline)
    else:
        made = _compiled(options, order, registry=registry, known=known, deadline=deadline)
    return made.reference, made.tag, made.is_new


def _built(
    options: argparse.Namespace, order: Order, *, registry: Registry, authentication: Path | None, deadline: float
) -> Made:
    from scheduler.images.buildah import Buildah, Storage  # noqa: PLC0415 - as above
    from scheduler.installation import building  # noqa: PLC0415

    builder = Buildah(
        storage=Storage(driver=os.environ.get("STORAGE_DRIVER", "")),
        settings=options.settings,
        authentication=authentication,
        has_layers=options.layers,
        deadline=deadline,
        tell=_tell,
    )
    with builder:
        return building.image(order, builder=builder, registry=registry)


def _compiled(
    options: argparse.Namespace, order: Order, *, registry: Registry, known: Mapping[str, Login], deadline: float
) -> Made:
    from scheduler.golang.finding import Place  # noqa: PLC0415 - as above
    from scheduler.images import network, references  # noqa: PLC0415
    from scheduler.images.connection import Connection  # noqa: PLC0415
    from scheduler.images.http_store import HttpStore  # noqa: PLC0415
    from scheduler.installation import building  # noqa: PLC0415

    with (
        tempfile.TemporaryDirectory(prefix="modelops-go-") as folder,
        closing(Connection(references.host(options.registry), logins=known)) as connection,
    ):
        compiling = building.Compiling(
            place=Place(folder=Path(folder) / "go", environ=network.pip_environ(options.settings)),
            environ=_go_folders(Path(folder)) | dict(network.compiler_environ(options.settings)),
            limit_seconds=max(1.0, deadline - time.monotonic()),
            tell=_tell,
        )
        return building.program(order, compiling, store=HttpStore(connection), registry=registry)


def _go_folders(folder: Path) -> dict[str, str]:
    """Where Go keeps what it fetches and compiles: in `folder`, unless it is told otherwise; a pod has nothing else."""
    kept = {"GOCACHE": folder / "cache", "GOPATH": folder / "path", "GOMODCACHE": folder / "modules"}
    return {key: os.environ.get(key) or str(path) for key, path in kept.items()}


def _deploy(options: argparse.Namespace) -> int:
    from scheduler.helm.pyhelm import HelmProgram  # noqa: PLC0415 - as above
    from scheduler.installation import building, deployment  # noqa: PLC0415

    began = time.monotonic()
    stop = Stop()
    # helm waits once for the new revision and once for the one that it brings back
    helm = HelmProgram(timeout_seconds=2 * options.seconds + 60)
    stop.listen(also=helm.terminate)
    try:
        order = deployment.Order(
            release=options.release,
            namespace=options.namespace,
            chart=assets.charts() / "modelops",
            values=options.values,
            values_digest=options.values_digest,
            registry=options.registry,
            pull_registry=options.pull_registry,
            images=building.parse_images(options.images),
            ready_seconds=options.seconds,
        )
        ports = deployment.Ports(cluster=_cluster(), helm=helm, stop=stop)
        words = deployment.deploy(order, ports=ports)
    except StoppedError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        return _failed(options, error, began, options.result)
    options.result.write_text(Outcome(state=State.DEPLOYED, seconds=_since(began), message=words).text())
    print(f"deploy: {words}", flush=True)
    return 0


def _start(options: argparse.Namespace) -> int:
    from scheduler.installation import cancelling, starting  # noqa: PLC0415 - as above

    stop = Stop()
    stop.listen(also=lambda: None)
    order = starting.Order(
        release=options.release,
        namespace=options.build_namespace,
        run=json.loads(options.run.read_text()),
        digest=options.digest,
        keep=options.keep,
    )
    ports = cancelling.Ports(cluster=_cluster(), stop=stop, clock=time.monotonic)
    return _told(options, lambda: starting.start(order, ports=ports))


def _remove(options: argparse.Namespace) -> int:
    from scheduler.helm.pyhelm import HelmProgram  # noqa: PLC0415 - as above
    from scheduler.installation import cancelling, removing  # noqa: PLC0415

    stop = Stop()
    helm = HelmProgram(timeout_seconds=options.seconds)
    stop.listen(also=helm.terminate)
    order = removing.Order(
        release=options.release,
        namespace=options.namespace,
        build_namespace=options.build_namespace,
        seconds=options.seconds,
    )
    ports = cancelling.Ports(cluster=_cluster(), stop=stop, clock=time.monotonic)
    return _told(options, lambda: removing.remove(order, helm=helm, ports=ports))


_PROGRAMS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "build": _image,
    "compile": _image,
    "deploy": _deploy,
    "start": _start,
    "remove": _remove,
}


def _cluster() -> Cluster:
    """With this pod's account; outside of pods, where helm too follows KUBECONFIG, with that."""
    from scheduler.cluster.kubernetes import KubernetesCluster  # noqa: PLC0415 - as above

    return KubernetesCluster.from_kubeconfig() if os.environ.get("KUBECONFIG") else KubernetesCluster.in_pod()


def _told(options: argparse.Namespace, program: Callable[[], str]) -> int:
    try:
        words, code = program(), 0
    except StoppedError:
        raise
    except SchedulerError as error:
        words, code = f"failed: {error}", 1
    print(f"{options.program}: {words}", flush=True)
    return code


def _failed(options: argparse.Namespace, error: Exception, began: float, result: Path) -> int:
    if not isinstance(error, SchedulerError):
        _log.error("this was not foreseen", exc_info=error)
    message = remedies.told(error, registry=options.registry, base=getattr(options, "base", ""))
    result.write_text(Outcome(state=State.FAILED, seconds=_since(began), message=message).text())
    print(f"{options.program}: failed: {message}", flush=True)
    return 1


def _since(began: float) -> int:
    return round(time.monotonic() - began)


def _tell(line: str) -> None:
    print(line, flush=True)


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m scheduler.installation", description=__doc__)
    programs = root.add_subparsers(dest="program", required=True)
    for name in ("build", "compile"):
        _image_options(programs.add_parser(name))
    deploy = programs.add_parser("deploy")
    deploy.add_argument("--release", required=True, help="name of the platform")
    deploy.add_argument("--namespace", required=True, help="of the platform")
    deploy.add_argument("--values", required=True, type=Path, help="JSON: the platform's values")
    deploy.add_argument("--values-digest", required=True, help="sha256:… that the values must have")
    deploy.add_argument("--registry", default="", help="as builds name it")
    deploy.add_argument("--pull-registry", default="", help="the same, as nodes name it")
    deploy.add_argument("--result", required=True, type=Path, help="file for the Tekton result `outcome`")
    deploy.add_argument("--seconds", type=float, default=300.0, help="most that the servers may take to get ready")
    deploy.add_argument("images", nargs="*", help="<name>=<reference by digest>")
    start = programs.add_parser("start")
    start.add_argument("--release", required=True, help="name of the platform")
    start.add_argument("--build-namespace", required=True, help="where the installation runs")
    start.add_argument("--run", required=True, type=Path, help="JSON: the PipelineRun, without its name")
    start.add_argument("--digest", required=True, help="sha256:… of all that the run is made from")
    start.add_argument("--keep", type=int, default=3, help="finished runs that stay")
    remove = programs.add_parser("remove")
    remove.add_argument("--release", required=True, help="name of the platform")
    remove.add_argument("--namespace", required=True, help="of the platform")
    remove.add_argument("--build-namespace", required=True, help="where installations run")
    remove.add_argument("--seconds", type=float, required=True, help="most that it may take")
    return root


def _image_options(program: argparse.ArgumentParser) -> None:
    program.add_argument("--step", required=True, help="JSON: the build, and the chart that declares it")
    program.add_argument("--registry", required=True, help="where images are pushed to")
    program.add_argument("--pull-registry", default="", help="the same, as nodes name it; for custom programs")
    program.add_argument("--base", default="", help="image that builds start from")
    program.add_argument("--tools", default="", help="the image container-tools by digest, as builds name it")
    program.add_argument("--result", required=True, type=Path, help="file for the Tekton result `reference`")
    program.add_argument("--outcome", required=True, type=Path, help="file for the Tekton result `outcome`")
    program.add_argument("--seconds", type=float, default=1800.0, help="most that it may take: the task's timeout")
    program.add_argument("--settings", type=Path, default=_SETTINGS, help="folder with pip, apt, go and ca")
    program.add_argument("--layers", action="store_true", help="keep a layer for each step of the Containerfile")
    program.add_argument("earlier", nargs="*", help="<name>=<reference by digest>")


if __name__ == "__main__":
    sys.exit(main())
