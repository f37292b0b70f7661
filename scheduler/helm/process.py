"""pyhelm3's commands, run without a shell, with a time limit, and ended gently."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from subprocess import PIPE

import pyhelm3

from scheduler.errors import ProgramError

GRACE_SECONDS = 30.0
"""From SIGTERM on: what helm is given to record its state before it is killed."""


class HelmCommand(pyhelm3.Command):  # type: ignore[misc] # pyhelm3 has no types
    """Differs from its parent in `run`: arguments go to the program as they are, and signals for us do not reach helm.

    A helm that dies in the middle leaves its release `pending-install`, so SIGTERM is sent once and then waited for.
    """

    def __init__(self, *, executable: str, environ: Mapping[str, str], timeout_seconds: float) -> None:
        super().__init__(executable=executable)
        self._environ = dict(environ)
        self._timeout_seconds = timeout_seconds
        self._running: set[asyncio.subprocess.Process] = set()
        self._terminated = False

    async def run(self, command: Sequence[object], input: bytes | None = None) -> bytes:  # noqa: A002 (parent's name)
        """Standard output of `helm <command>`; ProgramError with its standard error when it fails."""
        if self.is_terminated():
            raise ProgramError("helm is not started: this program has been asked to end")
        arguments = [str(part) for part in command]
        try:
            process = await asyncio.create_subprocess_exec(
                self._executable,
                *arguments,
                stdin=PIPE if input is not None else asyncio.subprocess.DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                env=self._environ,
                start_new_session=True,  # Tekton signals the whole process group
            )
        except OSError as error:
            raise ProgramError(f"helm could not be started ({self._executable}: {error.strerror})") from error
        self._running.add(process)
        if self.is_terminated():  # while it was being started
            _signal(process, signal.SIGTERM)
        try:
            out, err = await self._finished(process, input)
        finally:
            self._running.discard(process)
        if process.returncode != 0:
            raise ProgramError(f"helm {arguments[0]} failed ({_ended(process.returncode)})", output=_words(err))
        return out

    def terminate(self) -> None:
        """Send SIGTERM to what is running, once, and start nothing more; usable from a signal handler."""
        if not self._terminated:
            self._terminated = True
            for process in tuple(self._running):
                _signal(process, signal.SIGTERM)

    def is_terminated(self) -> bool:
        return self._terminated

    async def _finished(self, process: asyncio.subprocess.Process, given: bytes | None) -> tuple[bytes, bytes]:
        talk = asyncio.ensure_future(process.communicate(given))
        done, _ = await asyncio.wait({talk}, timeout=self._timeout_seconds)
        if not done:
            _signal(process, signal.SIGTERM)
            done, _ = await asyncio.wait({talk}, timeout=GRACE_SECONDS)
        if not done:
            _signal(process, signal.SIGKILL)
        return await talk


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _words(err: bytes) -> str:
    """What helm says from its first error on; before that it only tells which files of a chart are links."""
    text = err.decode("utf-8", "replace").strip()
    return text[text.find("Error:") :] if "Error:" in text else text


def _ended(code: int | None) -> str:
    return f"ended by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
