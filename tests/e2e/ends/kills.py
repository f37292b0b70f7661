"""Kills parts of a job while it scores, or takes them away for a while."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

from scheduler import names
from scheduler.client.scheduling import JobJson
from scheduler.demo.installation import ENVIRONMENT
from scheduler.errors import ProgramError, UnavailableError
from scheduler.model.job import JobState
from tests.e2e import support
from tests.e2e.support import Jobs

FLOW: Final = "flow"
SERVICE: Final = "scoring-server-python"
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


def pod(jobs: Jobs, job_id: str, component: str) -> int:
    """Kill the pods of one component, without a word, in the middle of the records; how many were written."""
    job = jobs.until(job_id, _is_in_the_middle)
    for name in _pods(jobs, job_id, component):
        jobs.platform.kubectl("-n", ENVIRONMENT, "delete", "pod", name, "--force", "--grace-period=0", "--wait=false")
    return int(job["records"]["written"])


def service_for(jobs: Jobs, job_id: str, *, seconds: float) -> JobJson:
    """Let the job have no scoring service for so long, in the middle of the records; the job at the end of that."""
    jobs.until(job_id, _is_in_the_middle)
    (deployment,) = jobs.platform.objects("deployments", "-n", ENVIRONMENT, "-l", f"{names.RELEASE}={job_id}")
    scale = ("-n", ENVIRONMENT, "scale", "deployment", deployment["metadata"]["name"])
    jobs.platform.kubectl(*scale, "--replicas=0")
    time.sleep(seconds)  # what is tried is that nothing happens meanwhile
    job = jobs.client.job(job_id)
    jobs.platform.kubectl(*scale, "--replicas=1")
    return job


def _is_in_the_middle(job: JobJson) -> bool:
    return bool(job["state"] == "RUNNING" and support.ledger(job).get("written", 0))


def _kill_engines(jobs: Jobs, job_id: str, killed: set[str]) -> None:
    for name in _pods(jobs, job_id, FLOW):
        if name not in killed:
            jobs.platform.kubectl("-n", ENVIRONMENT, "exec", name, "-c", "flow", "--", "python3", "-c", _KILL)
            killed.add(name)


def _pods(jobs: Jobs, job_id: str, component: str) -> list[str]:
    """Names of those that run."""
    selection = ("-n", ENVIRONMENT, "-l", f"{names.RELEASE}={job_id},{names.COMPONENT}={component}")
    found = jobs.platform.objects("pods", *selection)
    return [one["metadata"]["name"] for one in found if one["status"]["phase"] == "Running"]
