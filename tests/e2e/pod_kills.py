"""Takes a task's pod away from a job, at a seeded moment of its short life."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import ProgramError
from scheduler.model.types import Manifest

LIFE_SECONDS: Final = {"install": 5.0, "uninstall": 5.0}
"""About how long the task's pod lives; on a busy machine longer, so a kill may come early but seldom too late."""
_APPEARS_SECONDS: Final = 240
_AT_WORK: Final = frozenset({"Pending", "Running"})
_PAUSE_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    task: str
    """install or uninstall."""
    after_seconds: float
    """From the pod's appearance."""
    grace_seconds: int
    """0: gone at once, as with its node; more: SIGTERM first."""


def seeded(task: str, seed: int) -> Iterator[Kill]:
    """Kills without end; the same seed gives the same moments."""
    chance = random.Random(f"{seed} {task}")
    while True:
        yield Kill(
            task=task,
            after_seconds=chance.uniform(0, LIFE_SECONDS[task]),
            grace_seconds=chance.choice((0, 0, 30)),
        )


def strike(kill: Kill, job_id: str, *, cluster: Cluster, platform: Platform) -> bool:
    """Whether the pod was still at work when it was taken away."""
    pod = _appeared(kill.task, job_id, cluster)
    time.sleep(kill.after_seconds)
    now = next((found for found in _pods(kill.task, job_id, cluster) if _uid(found) == _uid(pod)), None)
    if now is None or now["status"]["phase"] not in _AT_WORK:
        return False
    force = ("--force",) if kill.grace_seconds == 0 else ()
    grace = f"--grace-period={kill.grace_seconds}"
    try:
        platform.kubectl("-n", ENVIRONMENT, "delete", "pod", now["metadata"]["name"], grace, *force, "--wait=false")
    except ProgramError:
        return False  # it was quicker
    return True


def unfinished_releases(job_id: str, *, cluster: Cluster) -> list[str]:
    """States in which helm has left the job's release, other than `deployed`."""
    records = cluster.list("Secret", ENVIRONMENT, labels={"owner": "helm", "name": job_id})
    states = [str(record["metadata"]["labels"].get("status", "")) for record in records]
    return [state for state in states if state != "deployed"]


def _appeared(task: str, job_id: str, cluster: Cluster) -> Manifest:
    deadline = time.monotonic() + _APPEARS_SECONDS
    while not (found := _pods(task, job_id, cluster)):
        assert time.monotonic() < deadline, f"job {job_id} has no {task} pod after {_APPEARS_SECONDS} s"
        time.sleep(_PAUSE_SECONDS)
    return found[0]


def _pods(task: str, job_id: str, cluster: Cluster) -> list[Manifest]:
    labels = {names.JOB_ID: job_id, names.TEKTON_PIPELINE_TASK: task}
    return list(cluster.list("Pod", ENVIRONMENT, labels=labels))


def _uid(pod: Manifest) -> str:
    return str(pod["metadata"]["uid"])
