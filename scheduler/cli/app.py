"""The command line as a whole: what there is, and what becomes of an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

import click
import typer

from scheduler.cli import (
    channel,
    cluster,
    deploy,
    exit_codes,
    images,
    job,
    login,
    output,
    plan,
    serve,
    validate,
    version,
)
from scheduler.errors import SchedulerError

_EPILOG: Final = "Exit codes:\n\n\b\n" + exit_codes.table()

app = typer.Typer(
    name="modelops",
    help="Scoring jobs on Kubernetes: write a pipeline, plan it, deploy it, run it, watch it.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (validate, plan, deploy, login, serve, version):
    _module.register(app)
for _module in (job, channel, cluster, images):
    app.add_typer(_module.app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code of `exit_codes`."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(argv) if argv is not None else None, prog_name="modelops", standalone_mode=False)
    except (click.exceptions.Exit, click.exceptions.Abort, click.ClickException) as ended:
        return _of_click(ended)
    except (KeyboardInterrupt, BrokenPipeError, SchedulerError) as ended:
        return _of_ours(ended)
    return code if isinstance(code, int) else exit_codes.OK


def _of_click(ended: click.exceptions.Exit | click.exceptions.Abort | click.ClickException) -> int:
    if isinstance(ended, click.exceptions.Exit):
        return ended.exit_code
    if isinstance(ended, click.ClickException):
        ended.show()
        return ended.exit_code
    output.note("interrupted")
    return exit_codes.INTERRUPTED


def _of_ours(ended: KeyboardInterrupt | BrokenPipeError | SchedulerError) -> int:
    if isinstance(ended, SchedulerError):
        output.error(ended)
        return exit_codes.of(ended)
    if isinstance(ended, KeyboardInterrupt):
        output.note("interrupted")
        return exit_codes.INTERRUPTED
    # whoever read our output has seen enough; Python must not complain when it flushes what is left
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.OK
