"""SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from scheduler.release.stop import Bell, Stop, StoppedError


def test_sigterm_ends_a_pause_at_once() -> None:
    stop, told = Stop(), []
    before = signal.getsignal(signal.SIGTERM)
    stop.listen(also=lambda: told.append("helm"))
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    began = time.monotonic()
    try:
        with pytest.raises(StoppedError):
            stop.pause(10)
    finally:
        timer.join()
        signal.signal(signal.SIGTERM, before)

    assert time.monotonic() - began < 5
    assert told == ["helm"]
    with pytest.raises(StoppedError):
        stop.check()


def test_a_bell_that_rang_before_is_heard_once() -> None:
    bell = Bell()
    for _ in range(100_000):
        bell.ring()
    began = time.monotonic()
    for _ in range(20):  # more than the pipe holds at a read
        bell.wait(0)
    bell.wait(0.2)

    assert 0.15 < time.monotonic() - began < 5
