"""The commands by name. A command's module is imported when it is asked for: `--help` pays for none of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

SUMMARIES: Final[Mapping[str, str]] = {
    "validate": "Check an IR folder: every fault with its file, line and what would have been right.",
    "plan": "Show a job before there is one: Helm values, rendered objects, resource totals.",
    "deploy": "Send the IR of a folder, models included, to the modelops server: the pipeline's next revision.",
    "login": "Say where tokens come from, find the servers, and remember both (file mode 0600).",
    "serve": "Run the scheduling server, with the ServiceAccount of the pod this runs in and MODELOPS_* settings.",
    "version": "Show the version of this program.",
    "job": "Scoring jobs: start, list, show, watch, read logs, cancel, drain.",
    "channel": "Data channels: where records come from and go to.",
    "cluster": "The local cluster; with MODELOPS_CLUSTER=current the one that KUBECONFIG names.",
    "images": "Container images: build those that are missing.",
    "bundle": "All images and charts of a platform in one archive, for a site without network.",
    "environment": "Environments: the namespaces where a platform's jobs run.",
    "install": "The installation of a platform: its builds and its deployment.",
}
"""Name, which is also that of its module here, to the first sentence of its help; a test compares them."""


class Commands(TyperGroup):
    """The group of all commands; what it holds itself are names and summaries, for the help."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        return command(cmd_name) if cmd_name in SUMMARIES else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        TyperGroup(commands=dict(self.commands)).format_commands(ctx, formatter)


def summaries(app: typer.Typer) -> None:
    """Let the app's help list every command."""
    for name, summary in SUMMARIES.items():
        app.command(name, help=summary)(_nothing)


def command(name: str) -> Any:
    """The command or group of that name, its module imported."""
    module = import_module(f"scheduler.cli.{name}")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.callback()(_nothing)  # with it, it is a group even of one command
    if hasattr(module, "register"):
        module.register(alone)
    else:
        alone.add_typer(module.app)
    group: Any = typer.main.get_command(alone)
    return group.commands[name]


def _nothing() -> None:
    """Stands for a command in the help."""
