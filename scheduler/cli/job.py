"""`modelops job`: start jobs, look at them, end them."""

from __future__ import annotations

import sys
import uuid
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli import cleanup, examples, exit_codes, given, job_view, orders, output, session
from scheduler.cli.output import Format, Output
from scheduler.cli.session import EnvironmentOption
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.errors import InvalidInputError
from scheduler.model.job import JobState
from scheduler.model.problem import Problem

if TYPE_CHECKING:
    from scheduler.ir.load import Loaded

app = typer.Typer(
    name="job", help="Scoring jobs: start, list, show, watch, read logs, cancel, drain.", no_args_is_help=True
)


class Mode(StrEnum):
    CANCEL = "cancel"
    DRAIN = "drain"
    FORCE = "force"


class Source(StrEnum):
    FLOW = "flow"
    SERVICES = "services"
    INSTALL = "install"
    WAIT = "wait"
    UNINSTALL = "uninstall"


JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
_START = examples.of(
    "modelops job start flight-delay --environment staging --watch",
    "modelops job start flight-delay --revision 3 --set threshold=0.7 --label team=ops",
    "modelops job start --ir flight-delay/ --deadline run=30m",
    "modelops job start --git team/flights.git --ref main --folder pipelines/flight-delay",
)
_LIST = examples.of(
    "modelops job list",
    "modelops job list --state RUNNING --state QUEUED --environment staging",
    "modelops job list --pipeline flight-delay --since 2026-01-31T00:00:00Z -o json",
)
_SHOW = examples.of("modelops job show jumjfu4uiml3xmwuaaihi", "modelops job show jumjfu4uiml3xmwuaaihi -o yaml")
_WATCH = examples.of("modelops job watch jumjfu4uiml3xmwuaaihi")
_LOGS = examples.of(
    "modelops job logs jumjfu4uiml3xmwuaaihi",
    "modelops job logs jumjfu4uiml3xmwuaaihi --source install",
    "modelops job logs jumjfu4uiml3xmwuaaihi --source services --tail 100",
    "modelops job logs jumjfu4uiml3xmwuaaihi --follow",
)
_DRAIN = examples.of("modelops job drain jumjfu4uiml3xmwuaaihi")
_CANCEL = examples.of(
    "modelops job cancel jumjfu4uiml3xmwuaaihi",
    "modelops job cancel jumjfu4uiml3xmwuaaihi --mode drain",
    "modelops job cancel jumjfu4uiml3xmwuaaihi --mode force",
)


@app.command("start", epilog=_START)
def start(
    pipeline: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="A deployed pipeline's name.")] = "",
    *,
    revision: Annotated[int | None, typer.Option("--revision", help="Of the pipeline; without it the newest.")] = None,
    ir: Annotated[Path | None, typer.Option("--ir", metavar="FOLDER", help="An IR folder instead.")] = None,
    git: Annotated[str, typer.Option("--git", metavar="PATH", help="A repository of the git server instead.")] = "",
    ref: Annotated[str, typer.Option("--ref", help="Branch, tag or commit, with --git.")] = "main",
    folder: Annotated[str, typer.Option("--folder", help="Folder of the IR in the repository, with --git.")] = "",
    environment: EnvironmentOption = "",
    sets: given.Sets = None,
    parameters: given.Parameters = None,
    deadlines: given.Deadlines = None,
    data_versions: given.DataVersions = None,
    labels: given.Labels = None,
    trigger: given.Trigger = "",
    key: Annotated[str, typer.Option("--key", help="Idempotency key: the same one never starts a second job.")] = "",
    follow: Annotated[bool, typer.Option("--watch", "-w", help="Then follow the job to its end.")] = False,
    form: Output = Format.TABLE,
) -> None:
    """Start a job. An idempotency key is always sent and told: with --key the command can be repeated safely."""
    said = given.together(
        {
            "place": lambda: session.environment(environment),
            "what": lambda: _check_what(pipeline, revision=revision, ir=ir, git=git, folder=folder),
            "more": lambda: orders.wishes(
                sets=sets,
                parameters=parameters,
                deadlines=deadlines,
                data_versions=data_versions,
                labels=labels,
                trigger=trigger,
            ),
            "ir": lambda: None if ir is None else orders.loaded(ir),
        }
    )
    place = said["place"]
    in_git = orders.of_git(git, ref, folder, environment=place) if git else None
    what = _what(pipeline, revision, said["ir"], in_git, place)
    client = session.scheduling()
    chosen = key or uuid.uuid4().hex
    output.note(f"idempotency key: {chosen}")
    job, is_new = client.start({**what, **said["more"]}, key=chosen)
    if not follow:
        _shown(job, form, headline=f"{job['id']} {'started' if is_new else 'was started before, with the same key'}")
        return
    output.note(f"{job['id']} {'started' if is_new else 'was started before'}")
    _watch(job["id"], client, form, has_answered=True)


@app.command("list", epilog=_LIST)
def list_(
    *,
    environment: EnvironmentOption = "",
    state: Annotated[list[JobState] | None, typer.Option("--state", help="Any of these.")] = None,
    pipeline: Annotated[str, typer.Option("--pipeline", help="Of this pipeline.")] = "",
    labels: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="KEY=VALUE", help="All of these.")
    ] = None,
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Submitted then or later (RFC 3339).")] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Submitted before.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="So many at most, newest first.")] = 50,
    form: Output = Format.TABLE,
) -> None:
    """List jobs, newest first; without an environment those of all environments that you may see."""
    query = {
        "environment": environment or None,
        "state": [item.value for item in state or ()],
        "pipeline": pipeline or None,
        "label": [f"{name}={text}" for name, text in given.texts("--label", labels).items()],
        "since": since or None,
        "until": until or None,
    }
    found = session.scheduling().jobs(query, limit=limit)
    if form is Format.TABLE:
        output.table(job_view.COLUMNS, (job_view.row(job) for job in found))
    else:
        output.value(found, form)


@app.command("show", epilog=_SHOW)
def show(job: JobId, form: Output = Format.TABLE) -> None:
    """Show one job: state, cause and remedy, ledger, digests, times."""
    _shown(session.scheduling().job(job), form)


@app.command("watch", epilog=_WATCH)
def watch_(job: JobId, form: Output = Format.TABLE) -> None:
    """Follow a job to its end. The exit code tells how it ended; an interrupt leaves the job running."""
    _watch(job, session.scheduling(), form)


@app.command("logs", epilog=_LOGS)
def logs(
    job: JobId,
    *,
    source: Annotated[
        Source, typer.Option("--source", help="A pipeline task, the flow, or its services.")
    ] = Source.FLOW,
    container: Annotated[str, typer.Option("--container", help="Other than the pod's main one.")] = "",
    tail: Annotated[int | None, typer.Option("--tail", min=0, help="Only so many last lines.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the container ends.")] = False,
) -> None:
    """Read or follow what a job's containers wrote."""
    wanted = {"source": source.value, "container": container or None, "tail": tail}
    for line in session.scheduling().logs(job, wanted=wanted, is_following=follow):
        output.write(line)


@app.command("cancel", epilog=_CANCEL)
def cancel(
    job: JobId,
    *,
    mode: Annotated[
        Mode,
        typer.Option(
            "--mode", help="cancel: end at once; drain: as `job drain` does; force: wait for no pod, a node is gone."
        ),
    ] = Mode.CANCEL,
    form: Output = Format.TABLE,
) -> None:
    """End a job. It is cleaned up in any case."""
    after = session.scheduling().cancel(job, mode=mode.value)
    _shown(after, form, headline=f"{after['id']} {after['state']}")


@app.command("drain", epilog=_DRAIN)
def drain(job: JobId, *, form: Output = Format.TABLE) -> None:
    """End a stream with a complete result: all that its source has now. A batch ends without a result."""
    after = session.scheduling().cancel(job, mode=Mode.DRAIN.value)
    _shown(after, form, headline=f"{after['id']} {after['state']}")


app.command("cleanup", epilog=cleanup.EXAMPLES)(cleanup.cleanup)


def _check_what(pipeline: str, *, revision: int | None, ir: Path | None, git: str, folder: str) -> None:
    """Refuse what says nothing, or two things, or something of another thing than it says."""
    faults = {
        "give exactly one of PIPELINE, --ir and --git": sum(1 for item in (pipeline, ir, git) if item) != 1,
        "--revision is of a deployed PIPELINE": revision is not None and not pipeline,
        "--folder is of a repository, with --git": bool(folder) and not git,
    }
    problems = [Problem(message=message) for message, is_so in faults.items() if is_so]
    if problems:
        raise InvalidInputError(problems)


def _what(
    pipeline: str, revision: int | None, ir: Loaded | None, git: dict[str, object] | None, environment: str
) -> dict[str, object]:
    """The order's first part."""
    if ir is not None:
        from scheduler.cli import upload  # noqa: PLC0415 - the other commands send no models

        if ir.artifacts:  # who has none needs no modelops server
            upload.models(ir, session.modelops())
        return orders.of_ir(ir, environment=environment)
    return git or orders.of_pipeline(pipeline, revision, environment=environment)


def _shown(job: JobJson, form: Format, *, headline: str = "") -> None:
    if form is not Format.TABLE:
        output.value(job, form)
        return
    if headline:
        output.write(headline)
    else:
        output.pairs(job_view.facts(job))


def _watch(job_id: str, client: SchedulingClient, form: Format, *, has_answered: bool = False) -> None:
    from scheduler.cli import watch  # noqa: PLC0415 - it draws bars, which nobody else does

    try:
        jobs = watch.updates(job_id, client, has_answered=has_answered)
        last = watch.show(jobs, is_terminal=sys.stderr.isatty())
    except KeyboardInterrupt:
        output.note(f"the job goes on: modelops job watch {job_id}")
        raise
    if last is None:
        return
    _shown(last, form)
    raise typer.Exit(exit_codes.of_job(last["state"], last["cleanup"]))
