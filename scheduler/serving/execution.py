"""Where a model runs: in a thread of its own, so that health answers meanwhile; short calls at once, on the event loop.

Handing a call to a thread and back costs 50 to 100 µs, more than a small model takes for a row. So a small request runs
on the loop while its model is idle and has lately been quick. One model is never called by two threads at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from scheduler.serving.faults import ServerBusyError

Result = TypeVar("Result")

SMALL_BYTES: Final = 8192
"""Largest body that may run on the loop."""
QUICK_SECONDS: Final = 0.001
"""Longest that the loop is held by a call, as far as the past tells."""
_MEMORY: Final = 0.8
"""Part of the slowest recent call that each next one remembers."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """One model's queue and its thread."""

    most_waiting: int = 64
    """Requests that may be queued or running; one more is ServerBusyError."""
    most_bytes: int = 256 << 20
    """Bytes of request bodies that may be queued or running."""
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
    )
    _waiting: int = 0
    _bytes: int = 0
    _recent: float = QUICK_SECONDS
    """Seconds that small calls take lately, slow ones weighing longest; until the first it counts as slow."""

    async def run(self, work: Callable[[], Result], *, size: int) -> Result:
        """What `work` gives; `size` is the bytes it works on."""
        small = size <= SMALL_BYTES
        if small and self._waiting == 0 and self._recent < QUICK_SECONDS:
            return self._timed(work)
        if self._waiting >= self.most_waiting or (self._waiting and self._bytes + size > self.most_bytes):
            raise ServerBusyError(f"{self._waiting} requests of {self._bytes} bytes wait for this model already")
        self._waiting += 1
        self._bytes += size
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._timed if small else _run, work)
        finally:
            self._waiting -= 1
            self._bytes -= size

    def close(self) -> None:
        """Let what runs end, and start nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _timed(self, work: Callable[[], Result]) -> Result:
        began = time.perf_counter()
        try:
            return work()
        finally:
            self._recent = max(time.perf_counter() - began, self._recent * _MEMORY)


def _run(work: Callable[[], Result]) -> Result:
    return work()
