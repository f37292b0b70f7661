"""`python -m scheduler.tasks install|wait|uninstall`: one step of a job's run, started by Tekton.

Ends with 0 when the step succeeded and 1 when it did not, its result `outcome` written before; with 143 when it was
asked to end by SIGTERM, and then without a result.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from scheduler import assets
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import Cluster
from scheduler.model.job import Cleanup
from scheduler.release.ports import Ports
from scheduler.release.stop import EXIT_CODE, Stop, StoppedError
from scheduler.tasks import outcome

_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_CHART: Final = "scoring-pipeline"
_log = logging.getLogger("scheduler.tasks")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    level = os.environ.get("MODELOPS_LOG_LEVEL", "info").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = Stop()
    namespace = options.namespace or _NAMESPACE.read_text().strip()
    try:
        fields, is_success = _PROGRAMS[options.task](options, namespace, _cluster(), stop)
    except StoppedError as stopped:
        _log.warning("%s: %s", options.task, stopped)
        return EXIT_CODE
    text = outcome.text(fields)
    options.result.write_text(text, encoding="utf-8")
    _log.info("%s: %s", options.task, text)
    return 0 if is_success else 1


def _install(
    options: argparse.Namespace, namespace: str, cluster: Cluster, stop: Stop
) -> tuple[Mapping[str, object], bool]:
    from scheduler.tasks import install  # noqa: PLC0415 - each program starts sooner with its own imports only

    order = install.Order(
        job=options.job_id,
        namespace=namespace,
        chart=_chart(),
        folder=options.input,
        ir_digest=options.ir_digest,
        values_digest=options.values_digest,
        seconds=options.install_seconds,
    )
    done = install.run(order, ports=_ports(cluster, stop, seconds=options.install_seconds))
    return done.fields(), done.is_success


def _wait(
    options: argparse.Namespace, namespace: str, cluster: Cluster, stop: Stop
) -> tuple[Mapping[str, object], bool]:
    from scheduler.tasks import wait  # noqa: PLC0415 - each program starts sooner with its own imports only
    from scheduler.tasks.flow_control import HttpFlowControl  # noqa: PLC0415
    from scheduler.tasks.follower import Order  # noqa: PLC0415

    stop.listen(also=lambda: None)
    order = Order(
        job=options.job_id,
        namespace=namespace,
        pod=os.environ.get("POD_NAME", ""),
        ready_seconds=options.ready_seconds,
        run_seconds=options.run_seconds,
    )
    done = wait.run(order, cluster=cluster, flow=HttpFlowControl(), stop=stop, clock=time.monotonic, stamp=_stamp)
    return done.fields(), done.ended.is_success


def _uninstall(
    options: argparse.Namespace, namespace: str, cluster: Cluster, stop: Stop
) -> tuple[Mapping[str, object], bool]:
    from scheduler.tasks import uninstall  # noqa: PLC0415 - each program starts sooner with its own imports only

    ports = _ports(cluster, stop, seconds=options.finish_seconds)
    done = uninstall.run(options.job_id, namespace=namespace, seconds=options.finish_seconds, ports=ports)
    return done.fields(), done.cleanup is Cleanup.CLEAN


_PROGRAMS: Final[
    Mapping[str, Callable[[argparse.Namespace, str, Cluster, Stop], tuple[Mapping[str, object], bool]]]
] = {"install": _install, "wait": _wait, "uninstall": _uninstall}


def _cluster() -> Cluster:
    """With this pod's account; outside of pods, where helm too follows KUBECONFIG, with that."""
    return KubernetesCluster.from_kubeconfig() if os.environ.get("KUBECONFIG") else KubernetesCluster.in_pod()


def _ports(cluster: Cluster, stop: Stop, *, seconds: float) -> Ports:
    """SIGTERM reaches helm through us: once, and we stay until it has recorded how far it came."""
    from scheduler.helm.pyhelm import HelmProgram  # noqa: PLC0415 - each program starts sooner with its own imports only

    helm = HelmProgram(timeout_seconds=seconds)
    stop.listen(also=helm.terminate)
    return Ports(cluster=cluster, helm=helm, stop=stop, clock=time.monotonic)


def _chart() -> Path:
    """Packaged with what it depends on, where an image has it so; else the sub-chart of the checkout."""
    packaged = assets.charts() / _CHART
    return packaged if packaged.is_dir() else assets.subchart(_CHART)


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m scheduler.tasks", description=__doc__)
    tasks = root.add_subparsers(dest="task", required=True)
    for name, seconds in (
        ("install", ("--install-seconds",)),
        ("wait", ("--ready-seconds", "--run-seconds")),
        ("uninstall", ("--finish-seconds",)),
    ):
        task = tasks.add_parser(name)
        task.add_argument("--job-id", required=True, help="id of the job = name of its run = name of its release")
        task.add_argument("--result", required=True, type=Path, help="file for the Tekton result")
        task.add_argument("--namespace", default="", help="default: that of this pod")
        for option in seconds:
            task.add_argument(option, required=True, type=float)
        if name == "install":
            task.add_argument("--ir-digest", required=True, help="sha256:… that ir.json must have")
            task.add_argument("--values-digest", required=True, help="sha256:… that values.yaml must have")
            task.add_argument("--input", type=Path, default=Path("/workspace/input"), help="folder with both")
    return root


if __name__ == "__main__":
    sys.exit(main())
