"""Lets one `up` or `down` work at a time; the kernel frees the lock of one that was killed."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scheduler.errors import UnavailableError


@contextmanager
def held(path: Path, tell: Callable[[str], None], *, limit_seconds: float = 3600) -> Iterator[None]:
    """Wait for the lock, saying so once, and hold it; an UnavailableError when another works longer than the limit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + limit_seconds
    told = False
    with path.open("a") as file:
        while not _locked(file.fileno()):
            if not told:
                tell("another `cluster up` or `cluster down` is at work; waiting for it")
                told = True
            if time.monotonic() > end:
                raise UnavailableError(f"{path} has been held for more than {limit_seconds:.0f} seconds")
            time.sleep(0.2)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
