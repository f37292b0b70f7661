"""Where a model runs: in a thread of its own, so that health answers meanwhile; short calls at once, on the event loop.

Handing a call to a thread and back costs 50 to 100 µs, more than a small model takes for a row. So a small request runs
on the loop while its model is idle and has lately been quick. One model is never called by two threads at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from scheduler.serving.faults import ServerBusyError

Result = TypeVar("Result")

SMALL_BYTES: Final = 8192
"""Largest body that may run on the loop."""
QUICK_SECONDS: Final = 0.001
"""Longest that the loop is held for a request, as far as the past tells."""
_MEMORY: Final = 0.8
"""Part of the slowest recent request that each next one remembers."""


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
    _in_thread: int = 0
    """Calls that the thread has or will have."""
    _recent: float = QUICK_SECONDS
    """Seconds that small requests take lately, slow ones weighing longest; until the first it counts as slow."""

    async def run(self, work: Callable[[], Result], *, size: int) -> Result:
        """What `work` gives for a request of `size` bytes."""
        with self.entered(size=size):
            return await self.call(work, requests=1 if size <= SMALL_BYTES else None)

    @contextmanager
    def entered(self, *, size: int) -> Iterator[None]:
        """A request of `size` bytes waits or runs meanwhile; ServerBusyError when too much does so already."""
        if self._waiting >= self.most_waiting or (self._waiting and self._bytes + size > self.most_bytes):
            raise ServerBusyError(f"{self._waiting} requests of {self._bytes} bytes wait for this model already")
        self._waiting += 1
        self._bytes += size
        try:
            yield
        finally:
            self._waiting -= 1
            self._bytes -= size

    async def call(self, work: Callable[[], Result], *, requests: int | None) -> Result:
        """What `work` gives; it answers so many small `requests`, or None when it has a large one."""
        if requests is not None and not self._in_thread and self._recent < QUICK_SECONDS:
            return self._timed(work, requests)
        self._in_thread += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, work, requests)
        finally:
            self._in_thread -= 1

    def close(self) -> None:
        """Let what runs end, and start nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _timed(self, work: Callable[[], Result], requests: int | None) -> Result:
        began = time.perf_counter()
        try:
            return work()
        finally:
            if requests is not None:
                self._recent = max((time.perf_counter() - began) / requests, self._recent * _MEMORY)
