"""`modelops version`."""

from __future__ import annotations

import platform

import typer

import scheduler
from scheduler.cli import examples, output
from scheduler.cli.output import Format, Output

_EXAMPLES = examples.of("modelops version", "modelops version -o json")


def register(app: typer.Typer) -> None:
    app.command("version", epilog=_EXAMPLES)(version)


def version(form: Output = Format.TABLE) -> None:
    """Show the version of this program."""
    if form is Format.TABLE:
        output.write(f"modelops {scheduler.__version__}")
    else:
        output.value({"version": scheduler.__version__, "python": platform.python_version()}, form)
