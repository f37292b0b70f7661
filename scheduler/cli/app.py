"""The command line as a whole: what there is, and what becomes of an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final, cast

import typer

from scheduler.cli import closing, commands, exit_codes
from scheduler.errors import NotFoundError, SchedulerError

_EXTRAS: Final = "install modelops with the extra `cli` (for `serve`, `server`), as in pip install '.[cli]'"
_EPILOG: Final = "Exit codes:\n\n\b\n" + exit_codes.table()

app = typer.Typer(
    name="modelops",
    help="Scoring jobs on Kubernetes: write a pipeline, plan it, deploy it, run it, watch it.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    cls=commands.Commands,
)
commands.summaries(app)


_CommandLineError: Final = cast(
    "type[typer.BadParameter]", next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
)
"""Base of all that Typer raises for a wrong command line; which Click it comes from is Typer's affair."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code of `exit_codes`."""
    command = typer.main.get_command(app)
    words = list(argv) if argv is not None else None
    try:
        with closing.all_():
            code = command.main(args=words, prog_name="modelops", standalone_mode=False)
    except SchedulerError as error:
        from scheduler.cli import output  # noqa: PLC0415 - it draws tables, which a help has no need of

        output.error(error)
        return exit_codes.of(error)
    except _CommandLineError as error:
        error.show()
        return exit_codes.USAGE
    except ModuleNotFoundError as error:
        if (error.name or "scheduler").partition(".")[0] == "scheduler":
            raise
        from scheduler.cli import output  # noqa: PLC0415 - as above

        output.error(NotFoundError(f"this command needs the Python package '{error.name}': {_EXTRAS}"))
        return exit_codes.of(NotFoundError())
    except (KeyboardInterrupt, typer.Abort):
        from scheduler.cli import output  # noqa: PLC0415 - as above

        output.note("interrupted")
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        _let_go_of_output()
        code = exit_codes.OK
    return code if isinstance(code, int) else exit_codes.OK


def _let_go_of_output() -> None:
    """Whoever read our output has seen enough; Python must not complain when it flushes what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
