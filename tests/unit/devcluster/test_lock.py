"""One `up` at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.devcluster import lock
from scheduler.errors import UnavailableError

HOLDER = """
import sys, time
from pathlib import Path
from scheduler.devcluster import lock
with lock.held(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_waits_and_says_so_and_a_killed_holder_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "lock"
    told: list[str] = []
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(UnavailableError, match="held for more than 0 seconds"),
            lock.held(path, told.append, limit_seconds=0.3),
        ):
            pytest.fail("two hold one lock")
        holder.kill()
    assert told == ["another `cluster up` or `cluster down` is at work; waiting for it"]
    with lock.held(path, told.append, limit_seconds=5):
        assert len(told) == 1
