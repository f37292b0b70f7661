"""Kills parts of a job while it scores."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT
from scheduler.errors import ProgramError, UnavailableError
from scheduler.model.job import JobState
from tests.e2e.support import Jobs

_PAUSE_SECONDS: Final = 0.3
_KILL: Final = """
import os, pathlib, signal, sys
names = {path.parent.name: path.read_text().strip() for path in pathlib.Path("/proc").glob("[0-9]*/comm")}
found = [int(number) for number, name in names.items() if name == "bento"]
for number in found:
    os.kill(number, signal.SIGKILL)
sys.exit(not found)
"""


def engines(jobs: Jobs, job_id: str, *, times: int) -> int:
    """Kill the engine in each pod of the flow once it scores, until the job is over; the number of pods."""
    killed: set[str] = set()
    is_over = False
    while len(killed) < times and not is_over:
        with suppress(UnavailableError, ProgramError):  # what ended by itself meanwhile, or has no engine yet
            job = jobs.client.job(job_id)
            is_over = JobState(job["state"]).is_finished
            if (job["progress"] or {}).get("phase") == "running":
                _kill_engines(jobs, job_id, killed)
        time.sleep(_PAUSE_SECONDS)
    return len(killed)


def _kill_engines(jobs: Jobs, job_id: str, killed: set[str]) -> None:
    selection = ("-n", ENVIRONMENT, "-l", f"{names.RELEASE}={job_id},{names.COMPONENT}=flow")
    for pod in jobs.platform.objects("pods", *selection):
        name = pod["metadata"]["name"]
        if name not in killed and pod["status"]["phase"] == "Running":
            jobs.platform.kubectl("-n", ENVIRONMENT, "exec", name, "-c", "flow", "--", "python3", "-c", _KILL)
            killed.add(name)
