"""A store that is not asked for the same grant twice in a few seconds: many jobs of one pipeline come together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from scheduler.artifacts.revisions import Revision
from scheduler.jobs.ports import Store

SECONDS: Final = 10.0
"""A grant is never taken back; but a store that loses or puts aside what it had is believed for so long."""
_ENTRIES: Final = 4096


class Granted:
    """The same store. Safe for many threads; what it refuses is asked again."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], float] = {}

    def revision(self, pipeline: str, number: int | None = None) -> Revision:
        return self._store.revision(pipeline, number)

    def grant(self, sha256: str, environment: str) -> None:
        key = (sha256, environment)
        with self._lock:
            until = self._until.get(key, float("-inf"))
        if self._clock() < until:
            return
        self._store.grant(sha256, environment)
        with self._lock:
            if len(self._until) >= _ENTRIES:
                self._until.clear()
            self._until[key] = self._clock() + SECONDS
