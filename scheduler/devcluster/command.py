"""Runs other programs to their end, within a limit, and turns their failure into words."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from scheduler.errors import ProgramError, UnavailableError

_LAST_WORDS: Final = 4000


def run(
    command: Sequence[str | Path],
    *,
    limit_seconds: float,
    environ: Mapping[str, str] | None = None,
    stdin: str = "",
    folder: Path | None = None,
) -> str:
    """What the program wrote to standard output.

    `environ` is laid upon our own environment. A program that fails, or is not there, is a ProgramError with its last
    words; one that does not end in time is killed with everything it started: UnavailableError.
    """
    words = [str(word) for word in command]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=folder,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
    except OSError as error:
        raise ProgramError(f"cannot start {words[0]}: {error.strerror}") from error
    with process:
        try:
            output, errors = process.communicate(stdin, timeout=limit_seconds)
        except BaseException as error:
            _end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                message = f"{_shown(words)} did not end within {limit_seconds:.0f} seconds"
                raise UnavailableError(message) from error
            raise
    if process.returncode != 0:
        last = (errors or output).strip()[-_LAST_WORDS:]
        raise ProgramError(f"{_shown(words)} ended with {process.returncode}:\n{last}", output=last)
    return output


def succeeds(command: Sequence[str | Path], *, limit_seconds: float, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the program ends well and in time."""
    try:
        run(command, limit_seconds=limit_seconds, environ=environ)
    except (ProgramError, UnavailableError):
        return False
    return True


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _shown(words: Sequence[str]) -> str:
    shown = " ".join([Path(words[0]).name, *words[1:]])
    return shown if len(shown) <= 120 else f"{shown[:117]}..."
