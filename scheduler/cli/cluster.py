"""`modelops cluster`: a real Kubernetes cluster on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.status import Status

from scheduler import devcluster
from scheduler.cli import check, examples, exit_codes, output
from scheduler.cli.output import Format, Output
from scheduler.devcluster import ClusterStatus

app = typer.Typer(
    name="cluster",
    help="The local cluster; with MODELOPS_CLUSTER=current the one that KUBECONFIG names.",
    no_args_is_help=True,
)
_UP = examples.of("modelops cluster up", "MODELOPS_CLUSTER=current modelops cluster up")
_DOWN = examples.of("modelops cluster down", "modelops cluster down --purge")
_STATUS = examples.of("modelops cluster status", "modelops cluster status -o json")


@app.command("up", epilog=_UP)
def up(form: Output = Format.TABLE) -> None:
    """Make the cluster ready: build what is missing, start what is down, repair what is broken."""
    _show(devcluster.up(_tell), form)


@app.command("down", epilog=_DOWN)
def down(
    *, purge: Annotated[bool, typer.Option("--purge", help="Remove data, images and volumes too.")] = False
) -> None:
    """Leave no process, mount, network interface, firewall rule or route behind; built programs stay."""
    devcluster.down(_tell, purge=purge)


@app.command("status", epilog=_STATUS)
def status(form: Output = Format.TABLE) -> None:
    """Say what runs. The exit code is 8 unless everything is ready."""
    with Status("asking", console=output.console(sys.stderr)):
        found = devcluster.status()
    _show(found, form)


app.command("check", epilog=check.EXAMPLES)(check.check)


def _show(found: ClusterStatus, form: Format) -> None:
    if form is not Format.TABLE:
        output.value(found.document(), form)
    else:
        if found.components:
            output.table(
                ["PROCESS", "STATE", "PID"], ([one.name, one.state, str(one.pid or "-")] for one in found.components)
            )
        output.pairs(
            [
                ("cluster", "ready" if found.is_ready else "not ready"),
                ("Kubernetes", found.api_server_version),
                ("nodes", [f"{name} {'Ready' if is_ready else 'not Ready'}" for name, is_ready in found.nodes.items()]),
                ("Tekton", "ready" if found.tekton_answers else "does not answer"),
                ("registry", found.registry),
                ("KUBECONFIG", found.kubeconfig),
            ]
        )
    if not found.is_ready:
        raise typer.Exit(exit_codes.NOT_READY)


def _tell(line: str) -> None:
    output.note(line)
