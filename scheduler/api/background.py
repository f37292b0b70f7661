"""What the server does by itself, in one thread: it must never be the reason that a request waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from scheduler.errors import SchedulerError
from scheduler.jobs import sweep
from scheduler.jobs.ports import Ports
from scheduler.jobs.sweep import Swept

_log = logging.getLogger(__name__)
_RUNS_SECONDS: Final = 2.0
"""Looks at memory only, so it may come often."""
_INPUTS_SECONDS: Final = 600.0
"""Costs a list in each environment."""


class Sweeper:
    """Sweeps from `start` to `stop`. Two servers that do the same do no harm."""

    def __init__(self, ports: Ports, *, told: Callable[[Swept], None], pause_seconds: float = _RUNS_SECONDS) -> None:
        self._ports = ports
        self._told = told
        self._pause_seconds = pause_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="sweep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(10)

    def _follow(self) -> None:
        next_inputs = time.monotonic()
        while not self._stopped.wait(self._pause_seconds):
            try:
                known = self._ports.known()
                self._tell(self._runs(known))
                if known and time.monotonic() >= next_inputs:
                    next_inputs = time.monotonic() + _INPUTS_SECONDS
                    self._tell(self._inputs(known))
            except SchedulerError as error:
                _log.warning("sweeping failed, the next round tries again: %s", error)

    def _runs(self, environments: tuple[str, ...]) -> Swept:
        ports = self._ports
        return sweep.runs(environments, board=ports.board, cluster=ports.cluster, now=ports.clock())

    def _inputs(self, environments: tuple[str, ...]) -> Swept:
        ports = self._ports
        return sweep.inputs(environments, cluster=ports.cluster, now=ports.clock())

    def _tell(self, done: Swept) -> None:
        self._told(done)
        for what in ("finished", "expired", "deleted"):
            for name in getattr(done, what):
                _log.info("swept: %s %s", what, name)
        for fault in done.failed:
            _log.warning("could not sweep %s", fault)
