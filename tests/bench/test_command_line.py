"""How long the command line takes before it does anything: a new process a run, beside a Python that does nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Final

from tests.bench.record import Bench

_COMMANDS: Final = {
    "--help": ("--help",),
    "version": ("version",),
    "job list --help": ("job", "list", "--help"),
    "validate --help": ("validate", "--help"),
    "login --help": ("login", "--help"),
}


def test_start(bench: Bench) -> None:
    bench.of(
        "Command line, start",
        "Wall-clock time of `modelops` from its start to its end, for commands that ask nobody; the middle one.",
    )
    runs = bench.size(short=1, full=15)
    bench.figure("python -c pass", _seconds(runs, [sys.executable, "-c", "pass"]) * 1000, "ms")
    for what, words in _COMMANDS.items():
        seconds = _seconds(runs, [sys.executable, "-m", "scheduler", *words], says="Usage: modelops")
        bench.figure(f"modelops {what}", seconds * 1000, "ms")


def _seconds(runs: int, command: list[str], *, says: str = "") -> float:
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env={**os.environ})
        took.append(time.perf_counter() - began)
        assert not says or "version" in command or says in done.stdout
    return statistics.median(took)
