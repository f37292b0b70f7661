"""The janitor's thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from scheduler.errors import SchedulerError
from scheduler.jobs.clean import Cleaned
from scheduler.jobs.janitor import Janitor

_log = logging.getLogger(__name__)
_JOIN_SECONDS: Final = 10.0


class Cleaning:
    """Rounds of the janitor from `start` to `stop`; `told` hears of each release that one of them saw to."""

    def __init__(self, janitor: Janitor, *, period_seconds: float, told: Callable[[Cleaned], None]) -> None:
        self._janitor = janitor
        self._period_seconds = period_seconds
        self._told = told
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="janitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(_JOIN_SECONDS)
        try:
            self._janitor.stop()
        except SchedulerError as error:
            _log.info("the janitor's Lease was not given back, it runs out by itself: %s", error)

    def _follow(self) -> None:
        while not self._stopped.wait(self._period_seconds):
            began = time.monotonic()
            try:
                for done in self._janitor.round():
                    self._tell(done, time.monotonic() - began)
                    if self._stopped.is_set():
                        break
            except SchedulerError as error:
                _log.warning("the janitor's round failed, the next one tries again: %s", error)

    def _tell(self, done: Cleaned, seconds: float) -> None:
        orphan = done.orphan
        self._told(done)
        _log.info(
            "janitor: release %s in %s, %s, because %s: %s (%.1f s into the round)",
            orphan.release,
            orphan.environment,
            "gone" if done.is_gone else "not removed",
            orphan.why,
            done.message,
            seconds,
        )
