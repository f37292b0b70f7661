"""The demonstration as a reader starts it: it checks every figure itself and exits non-zero when one is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.demo.installation import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_all_flights_are_scored_by_both_servers(platform: Platform, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scheduler.demo"]

    done = subprocess.run(
        command, env=platform.environ, cwd=tmp_path, capture_output=True, text=True, timeout=800, check=False
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert done.stdout.count("left of the release in the cluster: nothing") == 2
    assert "WRONG" not in done.stdout
    for kind in ("pmml", "joblib"):
        lines = (tmp_path / ".demo" / f"delays-{kind}.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 328_521
        assert len({(r["time_hour"], r["carrier"], r["flight"]) for r in map(json.loads, lines)}) == 328_521
