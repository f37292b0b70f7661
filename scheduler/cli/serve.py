"""`modelops serve`: the scheduling server, in a pod."""

from __future__ import annotations

import typer

from scheduler.cli import examples

_EXAMPLES = examples.of("modelops serve")


def register(app: typer.Typer) -> None:
    app.command("serve", epilog=_EXAMPLES)(serve)


def serve() -> None:
    """Run the scheduling server, with the ServiceAccount of the pod this runs in and MODELOPS_* settings."""
    from scheduler.api import __main__ as server  # noqa: PLC0415 - its libraries are not installed with the command alone

    server.main()
