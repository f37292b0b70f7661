"""`modelops login`: a token for the servers, and where they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from scheduler.cli import configuration, discovery, examples, output
from scheduler.cli.configuration import Login
from scheduler.cli.output import Format, Output
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.errors import InvalidInputError
from scheduler.model import duration
from scheduler.model.problem import Problem

_EXAMPLES = examples.of(
    "modelops login --account data-scientist --environment staging",
    "modelops login --account staging/data-scientist --for 1h",
    "kubectl -n modelops port-forward service/modelops-scheduling-server 8080 &",
    "kubectl -n modelops port-forward service/modelops-modelops-server 8081:8080 &",
    "modelops login --account data-scientist --url http://127.0.0.1:8080 --server-url http://127.0.0.1:8081",
)
_SHORTEST_SECONDS = 600


def register(app: typer.Typer) -> None:
    app.command("login", epilog=_EXAMPLES)(login)


def login(
    *,
    account: Annotated[
        str, typer.Option("--account", metavar="[NAMESPACE/]NAME", help="ServiceAccount whose token you may request.")
    ],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where the platform is installed.")] = "modelops",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where jobs run from now on.")] = "",
    for_: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long the login lasts.")] = "8h",
    url: Annotated[str, typer.Option("--url", help="The scheduling server, when its Service is not reachable.")] = "",
    server_url: Annotated[str, typer.Option("--server-url", help="The modelops server, likewise.")] = "",
    kubeconfig: Annotated[Path | None, typer.Option("--kubeconfig", help="Else KUBECONFIG or your own.")] = None,
    context: Annotated[str, typer.Option("--context", help="Of the kubeconfig.")] = "",
    form: Output = Format.TABLE,
) -> None:
    """Ask Kubernetes for a token of audience modelops, find the servers, and remember both (file mode 0600).

    The token is a ServiceAccount's, because a kubeconfig with a client certificate has none to send. Where this machine
    cannot reach the cluster's Services, forward their ports and name them with --url and --server-url.
    """
    place, _, name = account.rpartition("/")
    cluster = KubernetesCluster.from_kubeconfig(kubeconfig, context=context or None)
    made = discovery.login(
        cluster,
        account=discovery.Account(namespace=place or namespace, name=name),
        namespace=namespace,
        seconds=_seconds(for_),
        given=Login(url=url, server_url=server_url, environment=environment),
    )
    _show(made, configuration.save(made, os.environ), form)


def _show(made: Login, file: Path, form: Format) -> None:
    """Everything but the token."""
    shown = {
        "account": made.account,
        "expires": made.expires,
        "url": made.url,
        "serverUrl": made.server_url,
        "environment": made.environment,
        "file": str(file),
    }
    if form is Format.TABLE:
        output.write("logged in")
        output.pairs(shown.items())
    else:
        output.value(shown, form)


def _seconds(text: str) -> int:
    try:
        found = duration.seconds(text)
    except ValueError as error:
        raise InvalidInputError([Problem(pointer="--for", message=str(error))]) from error
    if found < _SHORTEST_SECONDS:
        raise InvalidInputError([Problem(pointer="--for", message="Kubernetes makes tokens of 10m at least")])
    return found
