"""`modelops environment`: the namespaces where a platform's jobs run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from scheduler import assets
from scheduler.cli import examples, install, output
from scheduler.cli.install import ContextOption, KubeconfigOption, NamespaceOption, ReleaseOption, TimeoutOption
from scheduler.cli.output import Format, Output
from scheduler.environments import changing, looking
from scheduler.environments.changing import Done, Ports
from scheduler.environments.platform import CHART, Platform
from scheduler.environments.view import Environment
from scheduler.helm.port import Helm
from scheduler.installation.looking import Platform as Installed

app = typer.Typer(
    name="environment", help="Environments: the namespaces where a platform's jobs run.", no_args_is_help=True
)
_ADD = examples.of(
    "modelops environment add production",
    "modelops environment add production --adopt --no-wait",
    "modelops environment add production -n scoring --release modelops",
)
_LIST = examples.of("modelops environment list", "modelops environment list -o json")
_SHOW = examples.of("modelops environment show staging", "modelops environment show staging -o yaml")
_REMOVE = examples.of("modelops environment remove production", "modelops environment remove production --force")
_COLUMNS: Final = ("NAMESPACE", "PLATFORM", "STATE", "JOBS", "QUOTA (PODS)", "POD SECURITY")
_UNSEEN: Final = "may not be seen"

_Environment = Annotated[str, typer.Argument(metavar="NAMESPACE", help="The environment, which is a namespace.")]
_Chart = Annotated[
    Path | None, typer.Option("--chart", help="The platform's, where it has sub-charts of others; else our own.")
]
_Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="For the installation that follows.")]


@app.command("add", epilog=_ADD)
def add(
    environment: _Environment,
    *,
    adopt: Annotated[bool, typer.Option("--adopt", help="Take a namespace that is there and no platform's.")] = False,
    wait: _Wait = True,
    timeout: TimeoutOption = "1h",
    chart: _Chart = None,
    namespace: NamespaceOption = "modelops",
    release: ReleaseOption = "modelops",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
    form: Output = Format.TABLE,
) -> None:
    """Make a namespace an environment: a helm upgrade of the platform's release with one name more in its values.

    It gets labels, quotas, limits, NetworkPolicies, accounts, roles, and the Pipeline and Tasks of jobs. The upgrade
    starts an installation, which tells the servers; like `modelops install wait` this waits for its end. Nothing is
    done, with exit code 0, when it is an environment of the platform already.
    """
    install.seconds_of(timeout)
    ports = _ports(kubeconfig, context, chart)
    platform = changing.read(release, namespace=namespace, ports=ports)
    with _asked_to_end(ports.helm):
        done = changing.add(platform, environment, is_adopted=adopt, ports=ports)
    _finish(done, platform, ports, timeout=timeout if wait else "", form=form)


@app.command("list", epilog=_LIST)
def list_(*, kubeconfig: KubeconfigOption = None, context: ContextOption = "", form: Output = Format.TABLE) -> None:
    """List the environments of all platforms of the cluster: unfinished jobs, pods of jobs and their quota.

    A namespace that is `kept` has an environment's labels and data, but not its accounts: no job can run there.
    """
    found = looking.listed(cluster=install.cluster_of(kubeconfig, context))
    if form is Format.TABLE:
        output.table(_COLUMNS, map(_row, found))
    else:
        output.value([one.summary() for one in found], form)


@app.command("show", epilog=_SHOW)
def show(
    environment: _Environment,
    *,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
    form: Output = Format.TABLE,
) -> None:
    """Show an environment: labels, unfinished jobs, quotas, accounts, versions of the Pipeline, data channels."""
    found = looking.shown(environment, cluster=install.cluster_of(kubeconfig, context))
    if form is Format.TABLE:
        _show(found)
    else:
        output.value(found.document(), form)


@app.command("remove", epilog=_REMOVE)
def remove(
    environment: _Environment,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also while jobs there are not finished.")] = False,
    wait: _Wait = True,
    timeout: TimeoutOption = "1h",
    chart: _Chart = None,
    namespace: NamespaceOption = "modelops",
    release: ReleaseOption = "modelops",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
    form: Output = Format.TABLE,
) -> None:
    """Make a namespace no environment any more: a helm upgrade of the platform's release with one name less.

    Accounts, roles, quotas, limits, NetworkPolicies, Pipeline and Tasks go. The namespace stays with jobs, channels and
    data, unless the platform's values say environment.keep: false. The last environment cannot be removed.
    """
    install.seconds_of(timeout)
    ports = _ports(kubeconfig, context, chart)
    platform = changing.read(release, namespace=namespace, ports=ports)
    with _asked_to_end(ports.helm):
        done = changing.remove(platform, environment, is_forced=force, ports=ports)
    _finish(done, platform, ports, timeout=timeout if wait else "", form=form)


def _finish(done: Done, platform: Platform, ports: Ports, *, timeout: str, form: Format) -> None:
    """Tell what was done, and with a timeout wait for the installation that it has started."""
    output.note(done.words)
    if done.is_changed and not platform.installs:
        output.note(f"nothing is installed by that: the release '{platform.name}' has to be changed as well")
    if not done.is_changed or not platform.installs or not timeout:
        return
    installed = Installed(name=platform.name, namespace=platform.namespace, builds=platform.builds)
    install.follow_to_end(installed, cluster=ports.cluster, timeout=timeout, form=form)


def _ports(kubeconfig: Path | None, context: str, chart: Path | None) -> Ports:
    """Cluster and helm, both as the caller of this command."""
    from scheduler.helm.pyhelm import HelmProgram  # noqa: PLC0415 - pyhelm3, which looking has no need of

    environ = dict(os.environ)
    if kubeconfig is not None:
        environ["KUBECONFIG"] = str(kubeconfig)
    if context:
        environ["HELM_KUBECONTEXT"] = context
    helm = HelmProgram(environ=environ, timeout_seconds=changing.HELM_SECONDS)
    at_hand = chart or assets.charts() / CHART
    return Ports(cluster=install.cluster_of(kubeconfig, context), helm=helm, chart=at_hand)


@contextmanager
def _asked_to_end(helm: Helm) -> Iterator[None]:
    """Inside, Ctrl-C asks helm to end, and is waited for: a helm that is killed leaves its release half changed."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: helm.terminate())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _row(one: Environment) -> tuple[object, ...]:
    jobs = None if one.jobs is None else len(one.jobs)
    return (one.name, one.platform, one.state, jobs, one.pods, one.pod_security)


def _show(one: Environment) -> None:
    output.pairs(
        [
            ("environment", one.name),
            ("platform", one.platform),
            ("state", _seen(one.state)),
            ("Pod Security", one.pod_security),
            ("labels", one.labels),
            ("unfinished jobs", _seen(one.jobs)),
            ("accounts", _seen(one.accounts)),
            ("Pipelines", _seen(one.pipelines)),
            ("channels", _seen(one.channels)),
            ("quotas", _seen(one.quotas) if one.quotas is None else ""),
        ]
    )
    quotas = one.quotas or {}
    rows = [(name, key, amount.used, amount.hard) for name, held in quotas.items() for key, amount in held.items()]
    if rows:
        output.table(("QUOTA", "RESOURCE", "USED", "HARD"), rows)


def _seen(found: object) -> object:
    """Nothing is said of what is empty; what may not be seen says so."""
    return _UNSEEN if found is None else found
