"""`modelops install`: how the installation of a platform goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from scheduler import names
from scheduler.cli import examples, exit_codes, output
from scheduler.cli.output import Format, Output
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import Cluster
from scheduler.errors import InvalidInputError, NotFoundError, UnavailableError
from scheduler.installation import looking
from scheduler.installation.looking import Platform
from scheduler.installation.view import Installation, Progress
from scheduler.model import duration
from scheduler.model.problem import Problem

app = typer.Typer(
    name="install", help="The installation of a platform: its builds and its deployment.", no_args_is_help=True
)
_STATUS = examples.of("modelops install status", "modelops install status -n scoring --release modelops -o json")
_LOGS = examples.of("modelops install logs", "modelops install logs streaming-runtime --follow")
_WAIT = examples.of("modelops install wait", "modelops install wait --timeout 30m -o json")
_POLL_SECONDS: Final = 2.0
_COLUMNS: Final = ("STEP", "STATE", "SECONDS", "IMAGE", "REASON")

NamespaceOption = Annotated[str, typer.Option("--namespace", "-n", help="Where the platform is installed.")]
ReleaseOption = Annotated[str, typer.Option("--release", help="Name of the platform.")]
_Builds = Annotated[str, typer.Option("--build-namespace", help="Where it is built; else <namespace>-builds.")]
KubeconfigOption = Annotated[Path | None, typer.Option("--kubeconfig", help="Else KUBECONFIG or your own.")]
ContextOption = Annotated[str, typer.Option("--context", help="Of the kubeconfig.")]
TimeoutOption = Annotated[str, typer.Option("--timeout", metavar="DURATION", help="How long to wait.")]


@app.command("status", epilog=_STATUS)
def status(
    *,
    namespace: NamespaceOption = "modelops",
    release: ReleaseOption = "modelops",
    builds: _Builds = "",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
    form: Output = Format.TABLE,
) -> None:
    """Show every step of the newest installation: what became of it, how long it took, its image, why it failed."""
    cluster, platform = cluster_of(kubeconfig, context), _platform(namespace, release, builds)
    _show(looking.newest(platform, cluster=cluster, now=_now()), form)


@app.command("logs", epilog=_LOGS)
def logs(
    *,
    step: Annotated[str, typer.Argument(help="A step; else all that have begun, one after the other.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the step ends.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", help="Only the last lines.")] = None,
    namespace: NamespaceOption = "modelops",
    release: ReleaseOption = "modelops",
    builds: _Builds = "",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
) -> None:
    """Print what the steps of the newest installation wrote; of several each line behind its name."""
    cluster, platform = cluster_of(kubeconfig, context), _platform(namespace, release, builds)
    steps = looking.selected(looking.newest(platform, cluster=cluster, now=_now()), step)
    for one in steps:
        prefix = "" if step else f"[{one.name}] "
        for line in looking.lines(one, namespace=platform.builds, cluster=cluster, follow=follow, tail_lines=tail):
            output.write(prefix + line)


@app.command("wait", epilog=_WAIT)
def wait(
    *,
    timeout: TimeoutOption = "1h",
    namespace: NamespaceOption = "modelops",
    release: ReleaseOption = "modelops",
    builds: _Builds = "",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
    form: Output = Format.TABLE,
) -> None:
    """Wait for the newest installation to end, telling how it goes on.

    The exit code is 0 when it succeeded, 20 when it failed, 21 when it was cancelled, 22 when its time was over, and 8
    when it has not ended within --timeout.
    """
    follow_to_end(
        _platform(namespace, release, builds), cluster=cluster_of(kubeconfig, context), timeout=timeout, form=form
    )


def follow_to_end(platform: Platform, *, cluster: Cluster, timeout: str, form: Format) -> None:
    """Tell how the newest installation goes on, show its end, and leave with the exit code of any end but success."""
    deadline = time.monotonic() + seconds_of(timeout)
    last: Installation | None = None
    for found in _looks(platform, cluster, deadline=deadline):
        for line in changes(last, found):
            output.note(line)
        last = found
    if last is None or not last.state.is_final:
        raise UnavailableError(f"the installation has not ended within {timeout}; `modelops install status` shows it")
    _show(last, form)
    code = exit_codes.OF_INSTALLATION[last.state]
    if code:
        raise typer.Exit(code)


def changes(before: Installation | None, now: Installation) -> Iterator[str]:
    """A line for each step that is in another state than before, and for one that waits when it first says for what."""
    known = {step.name: step for step in before.steps} if before and before.run == now.run else {}
    if before is None or before.run != now.run:
        yield f"installation {now.run}"
    for step in now.steps:
        last = known.get(step.name)
        is_news = last is None or last.state != step.state
        if step.state == Progress.WAITING:
            is_news = bool(step.reason) and (last is None or not last.reason)
        if is_news:
            took = f" ({step.seconds} s)" if step.seconds and step.state != Progress.RUNNING else ""
            yield f"{step.name}: {step.state}{took}" + (f": {step.reason}" if step.reason else "")


def _looks(platform: Platform, cluster: Cluster, *, deadline: float) -> Iterator[Installation]:
    """Looks until it has ended or the time is over; an API server that is away for a moment is asked again."""
    while True:
        try:
            found = looking.newest(platform, cluster=cluster, now=_now())
            yield found
            if found.state.is_final:
                return
        except (NotFoundError, UnavailableError):  # the hook may not have started it yet
            if time.monotonic() >= deadline:
                raise
        if time.monotonic() >= deadline:
            return
        time.sleep(_POLL_SECONDS)


def _show(found: Installation, form: Format) -> None:
    if form is not Format.TABLE:
        output.value(found.document(), form)
        return
    output.table(_COLUMNS, ((one.name, one.state, one.seconds, one.image, one.reason) for one in found.steps))
    output.pairs([("installation", found.run), ("state", found.state), ("reason", found.reason)])


def cluster_of(kubeconfig: Path | None, context: str) -> Cluster:
    return KubernetesCluster.from_kubeconfig(kubeconfig, context=context or None)


def _platform(namespace: str, release: str, builds: str) -> Platform:
    return Platform(name=release, namespace=namespace, builds=builds or names.build_namespace(namespace))


def seconds_of(timeout: str) -> int:
    try:
        return duration.seconds(timeout)
    except ValueError as error:
        raise InvalidInputError([Problem(pointer="--timeout", message=str(error))]) from error


def _now() -> datetime:
    return datetime.now(UTC)
