"""Runs another program to its end and turns its failure into words."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from scheduler.errors import ProgramError, UnavailableError

_LAST_WORDS: Final = 4000


def run(command: Sequence[str], *, limit_seconds: float, environ: Mapping[str, str] | None = None) -> str:
    """What the program wrote to standard output and standard error, together.

    `environ` is laid upon our own environment. ProgramError with its last words when it fails or is not there;
    UnavailableError when it does not end in time: it is killed with everything it started.
    """
    try:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
    except OSError as error:
        remedy = f"; install it, for instance the Debian package '{command[0]}'" if error.errno == errno.ENOENT else ""
        raise ProgramError(f"cannot start {command[0]}: {error.strerror}{remedy}") from error
    with child:
        try:
            output, _ = child.communicate(timeout=limit_seconds)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise UnavailableError(f"{command[0]} did not end within {limit_seconds:.0f} seconds") from error
            raise
    if child.returncode != 0:
        last = output.strip()[-_LAST_WORDS:]
        raise ProgramError(f"{command[0]} ended with {child.returncode}: {last}", output=last)
    return output
