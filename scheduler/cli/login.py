"""`modelops login`: where a token comes from, and where the servers are."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from scheduler import rest
from scheduler.cli import configuration, credentials, discovery, examples, exec_plugin, output, targets
from scheduler.cli.configuration import Login
from scheduler.cli.output import Format, Output
from scheduler.client.oidc_device import Prompt
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import Cluster
from scheduler.errors import InvalidInputError
from scheduler.model import duration
from scheduler.model.problem import Problem

_EXAMPLES = examples.of(
    "modelops login --account data-scientist --environment staging",
    "modelops login --account staging/data-scientist --for 1h",
    "modelops login --oidc-issuer https://login.example.com/realms/science --client-id scoring",
    "modelops login --oidc-issuer https://login.internal --client-id scoring --certificate-authority ca.pem",
    "modelops login --exec 'company-login token --audience scoring'",
    "modelops login --token-file /var/run/secrets/modelops/token",
    "kubectl -n modelops port-forward service/modelops-scheduling-server 8080 &",
    "kubectl -n modelops port-forward service/modelops-modelops-server 8081:8080 &",
    "modelops login --account data-scientist --url http://127.0.0.1:8080 --server-url http://127.0.0.1:8081",
)
_SHORTEST_SECONDS: Final = 600
_SOURCES: Final = ("--account", "--oidc-issuer", "--exec", "--token-file")


def register(app: typer.Typer) -> None:
    app.command("login", epilog=_EXAMPLES)(login)


def login(
    *,
    account: Annotated[
        str, typer.Option("--account", metavar="[NAMESPACE/]NAME", help="ServiceAccount whose token you may request.")
    ] = "",
    issuer: Annotated[
        str, typer.Option("--oidc-issuer", metavar="URL", help="OpenID Connect issuer; you confirm in a browser.")
    ] = "",
    client_id: Annotated[str, typer.Option("--client-id", help="Public client of the issuer, with device flow.")] = "",
    scope: Annotated[str, typer.Option("--scope", help="What the issuer is asked for.")] = "openid offline_access",
    authority: Annotated[
        Path | None,
        typer.Option("--certificate-authority", help="File with the certificates that the issuer is trusted by."),
    ] = None,
    exec_: Annotated[
        str, typer.Option("--exec", metavar="COMMAND", help="Program that prints an ExecCredential, as for kubectl.")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the token, read before each request.")
    ] = None,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where the platform is installed.")] = "modelops",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where jobs run from now on.")] = "",
    for_: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long an account's login lasts.")] = "8h",
    url: Annotated[str, typer.Option("--url", help="The scheduling server, when its Service is not reachable.")] = "",
    server_url: Annotated[str, typer.Option("--server-url", help="The modelops server, likewise.")] = "",
    kubeconfig: Annotated[Path | None, typer.Option("--kubeconfig", help="Else KUBECONFIG or your own.")] = None,
    context: Annotated[str, typer.Option("--context", help="Of the kubeconfig.")] = "",
    form: Output = Format.TABLE,
) -> None:
    """Say where tokens come from, find the servers, and remember both (file mode 0600).

    Tokens come from an --account, an --oidc-issuer, an --exec program or a --token-file. An account's token is asked of
    Kubernetes, for audience modelops, because a kubeconfig with a client certificate has none to send. A program's
    token is kept until it ends; an issuer's is refreshed for as long as the issuer lets it. Where this machine cannot
    reach the cluster's Services, forward their ports and name them with --url and --server-url; with both no
    kubeconfig is needed, but for an account.
    """
    file = str(token_file.absolute()) if token_file else ""
    trusted = str(authority.absolute()) if authority else ""
    sources = dict(zip(_SOURCES, (account, issuer, exec_, file), strict=True))
    _check(sources, issuer=issuer, client_id=client_id, authority=trusted)
    seconds = _seconds(for_)
    kept = configuration.path(os.environ)
    replaced = kept if kept.exists() else None
    targets.check(files={configuration.FILE: replaced}, folders={configuration.FILE: kept.parent})
    given = Login(url=url, server_url=server_url, environment=environment)
    if account or not (url and server_url):
        cluster = KubernetesCluster.from_kubeconfig(kubeconfig, context=context or None)
        given = _from_cluster(cluster, account=account, namespace=namespace, seconds=seconds, given=given)
    if issuer:
        given = replace(given, oidc_issuer=issuer, client_id=client_id, certificate_authority=trusted)
        given = _by_device(given, scope=scope)
    elif exec_:
        token = exec_plugin.credential(exec_)
        until = token.value if token.expires else ""
        given = replace(given, exec=exec_, token=until, expires=token.expires)
    elif file:
        configuration.read_token(file)
        given = replace(given, token_file=file)
    _show(given, configuration.save(given, os.environ), form)


def _check(sources: dict[str, str], *, issuer: str, client_id: str, authority: str) -> None:
    """InvalidInputError unless there is one source of tokens, and all that it needs."""
    named = [option for option, value in sources.items() if value]
    problems = []
    if len(named) != 1:
        message = "give one of them" if not named else f"give one of them, not {' and '.join(named)}"
        problems.append(Problem(pointer=", ".join(_SOURCES), message=message))
    if issuer and not rest.is_encrypted(issuer):
        problems.append(Problem(pointer="--oidc-issuer", message=f"'{issuer}' is no https URL"))
    if bool(issuer) != bool(client_id):
        problems.append(Problem(pointer="--oidc-issuer, --client-id", message="each needs the other"))
    if authority and not issuer:
        problems.append(
            Problem(pointer="--certificate-authority", message="it is of an --oidc-issuer, and none is given")
        )
    if problems:
        raise InvalidInputError(problems)


def _from_cluster(cluster: Cluster, *, account: str, namespace: str, seconds: int, given: Login) -> Login:
    if not account:
        return discovery.servers(cluster, namespace=namespace, given=given)
    place, _, name = account.rpartition("/")
    whose = discovery.Account(namespace=place or namespace, name=name)
    return discovery.login(cluster, account=whose, namespace=namespace, seconds=seconds, given=given)


def _by_device(given: Login, *, scope: str) -> Login:
    with closing(credentials.provider(given)) as provider:
        prompt = provider.begin(scope)
        _ask(prompt)
        made = provider.finish(prompt)
    return replace(given, token=made.token, expires=made.expires, refresh_token=made.refresh_token)


def _ask(prompt: Prompt) -> None:
    output.note(f"open {prompt.uri} in a browser and enter the code {prompt.user_code}")
    if prompt.complete_uri:
        output.note(f"or open {prompt.complete_uri}")


def _show(made: Login, file: Path, form: Format) -> None:
    """Everything but tokens, and of a program its name only: arguments may be secrets."""
    shown = {
        "account": made.account,
        "oidcIssuer": made.oidc_issuer,
        "clientId": made.client_id,
        "certificateAuthority": made.certificate_authority,
        "exec": exec_plugin.words(made.exec)[0] if made.exec else "",
        "tokenFile": made.token_file,
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
