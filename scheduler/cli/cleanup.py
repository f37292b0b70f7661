"""`modelops job cleanup`: what jobs have left behind."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from scheduler.cli import configuration, examples, exit_codes, output, session
from scheduler.cli.output import Format, Output
from scheduler.cli.session import EnvironmentOption

EXAMPLES: Final = examples.of(
    "modelops job cleanup --dry-run", "modelops job cleanup --environment staging", "modelops job cleanup -o json"
)
_COLUMNS: Final = ("RELEASE", "ENVIRONMENT", "ACTION", "WHY", "OBJECTS", "MESSAGE")


def cleanup(
    *,
    environment: EnvironmentOption = "",
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed, and why.")] = False,
    form: Output = Format.TABLE,
) -> None:
    """Remove what jobs have left behind: releases whose job will not remove them any more.

    The janitor does so by itself; this does it now. Ends with 23 when something could not be removed.
    """
    place = environment or configuration.effective(os.environ).environment
    found = session.scheduling().clean(place, is_dry_run=is_dry_run)
    if form is Format.TABLE:
        output.table(_COLUMNS, (_row(item) for item in found["releases"]))
    else:
        output.value(found, form)
    if any(item["action"] == "failed" for item in found["releases"]):
        raise typer.Exit(exit_codes.LEAKED)


def _row(item: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(item[key] for key in ("release", "environment", "action", "why", "objects", "message"))
