"""Runs other programs to their end, within a limit, and turns their failure into words."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from scheduler.errors import ProgramError, UnavailableError

_LAST_WORDS: Final = 4000
_LAST_LINES: Final = 100
_HEARTBEAT_SECONDS: Final = 15


def run(
    command: Sequence[str | Path],
    *,
    limit_seconds: float,
    environ: Mapping[str, str] | None = None,
    stdin: str = "",
    folder: Path | None = None,
    still: Callable[[float], None] | None = None,
) -> str:
    """What the program wrote to standard output, when it has ended well.

    `environ` is laid upon our own environment. A program that fails, or is not there, is a ProgramError with its last
    words; one that does not end in time is killed with everything it started: UnavailableError. `still` is called with
    the seconds gone by each time a quarter of a minute has passed.
    """
    words = [str(word) for word in command]
    with _started(words, environ or {}, folder) as process:
        try:
            output, errors = _outcome(process, stdin, limit_seconds, still)
        except subprocess.TimeoutExpired as error:
            message = f"{_shown(words)} did not end within {limit_seconds:.0f} seconds"
            raise UnavailableError(message) from error
        finally:
            _end(process)
    if process.returncode != 0:
        last = (errors or output).strip()[-_LAST_WORDS:]
        raise ProgramError(f"{_shown(words)} ended with {process.returncode}:\n{last}", output=last)
    return output


def follow(
    command: Sequence[str | Path],
    *,
    limit_seconds: float,
    tell: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    name: str = "",
) -> None:
    """Tell each line that the program writes, to standard output or standard error, as it comes.

    The errors are those of `run`; the last words are of both together, and no more than those are kept. Messages
    call it `name`; without one they show the command.
    """
    words = [str(word) for word in command]
    shown = name or _shown(words)
    last: deque[str] = deque(maxlen=_LAST_LINES)
    late = threading.Event()
    with _started(words, environ or {}, folder, errors=subprocess.STDOUT) as process:

        def expire() -> None:
            late.set()
            _end(process)

        alarm = threading.Timer(limit_seconds, expire)
        alarm.start()
        try:
            for line in process.stdout or ():
                last.append(line.rstrip())
                tell(line.rstrip())
            process.wait()
        finally:
            alarm.cancel()
            _end(process)
    text = "\n".join(last).strip()[-_LAST_WORDS:]
    if process.returncode != 0:
        if late.is_set():
            raise UnavailableError(f"{shown} did not end within {limit_seconds:.0f} seconds; it said:\n{text}")
        raise ProgramError(f"{shown} ended with {process.returncode}:\n{text}", output=text)


def _started(
    words: list[str], environ: Mapping[str, str], folder: Path | None, *, errors: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.PIPE if errors == subprocess.PIPE else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            cwd=folder,
            env={**os.environ, **environ},
            start_new_session=True,
        )
    except OSError as error:
        is_absent = error.errno == errno.ENOENT and "/" not in words[0]
        remedy = f"; install it, for instance the Debian package '{words[0]}'" if is_absent else ""
        raise ProgramError(f"cannot start {words[0]}: {error.strerror}{remedy}") from error


def _outcome(
    process: subprocess.Popen[str], stdin: str, limit_seconds: float, still: Callable[[float], None] | None
) -> tuple[str, str]:
    began = time.monotonic()
    while True:
        left = began + limit_seconds - time.monotonic()
        try:
            return process.communicate(stdin, timeout=min(left, _HEARTBEAT_SECONDS))
        except subprocess.TimeoutExpired:
            gone = time.monotonic() - began
            if gone >= limit_seconds:
                raise
            if still is not None:
                still(gone)


def _end(process: subprocess.Popen[str]) -> None:
    """Kill it, and what it started, unless it ended by itself."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _shown(words: Sequence[str]) -> str:
    shown = " ".join([Path(words[0]).name, *words[1:]])
    return shown if len(shown) <= 120 else f"{shown[:117]}..."
