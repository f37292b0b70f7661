"""`python -m scheduler.devcluster up | build | down | status`, where the command line `modelops` is not installed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence

from scheduler import devcluster
from scheduler.devcluster import ClusterStatus
from scheduler.errors import SchedulerError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done, or ready; 1: not ready, or an error that was printed."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "build":
            devcluster.build(_teller())
            return 0
        if given.command == "down":
            devcluster.down(_teller(), purge=given.purge)
            return 0
        status = devcluster.up(_teller()) if given.command == "up" else devcluster.status()
    except SchedulerError as error:
        print(error, file=sys.stderr)
        return 1
    as_json = given.command == "status" and given.output == "json"
    print(json.dumps(status.document(), indent=2) if as_json else shown(status))
    return 0 if status.is_ready else 1


def shown(status: ClusterStatus) -> str:
    """The status for a person."""
    lines = [f"{one.name:<24} {one.state:<10} {one.pid or ''}".rstrip() for one in status.components]
    lines += [f"node {name:<19} {'Ready' if ready else 'not Ready'}" for name, ready in status.nodes.items()]
    lines.append(f"{'Tekton':<24} {'ready' if status.tekton_answers else 'does not answer'}")
    if status.registry:
        lines.append(f"{'registry':<24} {status.registry}")
    return "\n".join([*lines, f"{'KUBECONFIG':<24} {status.kubeconfig}"])


def _teller() -> Callable[[str], None]:
    began = time.monotonic()

    def tell(line: str) -> None:
        gone = int(time.monotonic() - began)
        print(f"[{gone // 60:2d}:{gone % 60:02d}] {line}", flush=True)

    return tell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scheduler.devcluster", description="The local cluster.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="make the cluster ready; what stands is left")
    commands.add_parser("build", help="build the programs that `up` starts, and start nothing")
    down = commands.add_parser("down", help="leave nothing running or mounted; programs and data stay")
    down.add_argument("--purge", action="store_true", help="remove data, images and volumes too")
    status = commands.add_parser("status", help="say what runs; exit code 1 when not ready")
    status.add_argument("-o", "--output", choices=("text", "json"), default="text")
    return parser


if __name__ == "__main__":
    sys.exit(main())
