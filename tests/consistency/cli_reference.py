"""CLI.md, made from the help of every command.

`python -m tests.consistency.cli_reference` writes it anew; a test compares.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any, Final

import typer

from scheduler import assets
from scheduler.cli import app

FILE: Final = assets.root() / "CLI.md"
_HEAD: Final = """<!-- written by `python -m tests.consistency.cli_reference` -->
# The command `modelops`

Every command has `--help` with examples, and those that show something take `-o table`, `-o json` or `-o yaml`. Results
go to standard output; progress, notes and errors to standard error. `modelops --install-completion` teaches your shell.

| variable | says |
| --- | --- |
| `MODELOPS_URL`, `MODELOPS_SERVER_URL` | the scheduling server and the modelops server, over what `login` remembers |
| `MODELOPS_TOKEN`, `MODELOPS_TOKEN_FILE` | the token, or a file that holds it and is read again before each request |
| `MODELOPS_ENVIRONMENT` | the environment that is meant when a command names none |
| `MODELOPS_CONFIG` | the file in which `login` remembers (mode 0600) |
| `MODELOPS_BENTO` | the program that lints flows, where it is not `bento` on `PATH` |
| `MODELOPS_CLUSTER` | `current`: the cluster of `KUBECONFIG` instead of the local one |
| `MODELOPS_HOME` | where the local cluster keeps its files |
"""
_WIDTH: Final = "100"


def text() -> str:
    """The whole document."""
    return _HEAD + "".join(_section(path) for path in ((), *paths(typer.main.get_command(app.app))))


def paths(command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group, in the order of the help."""
    for name in getattr(command, "commands", {}):
        yield (*above, name)
        yield from paths(command.get_command(None, name), (*above, name))


def help_of(path: tuple[str, ...]) -> str:
    """What `--help` prints, as wide as a terminal of 100 columns lets it be."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _WIDTH
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            app.main([*path, "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines()).strip()


def _section(path: tuple[str, ...]) -> str:
    return f"\n## `{' '.join(('modelops', *path))}`\n\n```text\n{help_of(path)}\n```\n"


if __name__ == "__main__":
    FILE.write_text(text())
