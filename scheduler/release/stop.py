"""Being asked to end."""

from __future__ import annotations

import os
import select
import signal
import weakref
from collections.abc import Callable
from contextlib import suppress

from scheduler.errors import SchedulerError

EXIT_CODE = 128 + signal.SIGTERM
"""As of a program that SIGTERM ended. No outcome is written: how the job ends is for whoever sent the signal to say."""


class StoppedError(SchedulerError):
    """This program was asked to end before it was done."""


class Bell:
    """Wakes the one thread that waits for it. A pipe: unlike locks, it may be rung from a signal handler."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        weakref.finalize(self, _close, self._reader, self._writer)

    def ring(self) -> None:
        with suppress(BlockingIOError):  # full: it rings already
            os.write(self._writer, b".")

    def wait(self, seconds: float) -> None:
        """Return when it has rung since the last call, after `seconds` at the latest."""
        select.select([self._reader], [], [], max(seconds, 0.0))
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)


class Stop:
    """Set by SIGTERM; the programs look at it wherever they wait."""

    def __init__(self) -> None:
        self.bell = Bell()
        """Rings when somebody asks."""
        self._is_asked = False

    def listen(self, *, also: Callable[[], None]) -> None:
        """Take SIGTERM from now on; `also` is called at once, in the signal handler."""

        def asked(_number: int, _frame: object) -> None:
            self.ask()
            also()

        signal.signal(signal.SIGTERM, asked)

    def ask(self) -> None:
        self._is_asked = True
        self.bell.ring()

    def check(self) -> None:
        """Raise StoppedError when somebody asked."""
        if self._is_asked:
            raise StoppedError("asked to end by SIGTERM")

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the bell rings; StoppedError as soon as somebody asks."""
        self.check()
        self.bell.wait(seconds)
        self.check()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
