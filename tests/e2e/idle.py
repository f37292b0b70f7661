"""Jobs that wait and cost no pod: the environment has no room for task pods as long as they are wanted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE
from tests.e2e import asked, room
from tests.e2e.asked import Question
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

IDLE: Final = Recipe(name="idle")
SERVER: Final = f"{RELEASE}-scheduling-server"
KINDS: Final = {
    "pipelineruns": "tekton.dev",
    "taskruns": "tekton.dev",
    "pods": "",
    "configmaps": "",
    "secrets": "",
    "services": "",
    "deployments": "apps",
    "jobs": "batch",
    "networkpolicies": "networking.k8s.io",
}
_AT_ONCE: Final = 4
_SETTLE_SECONDS: Final = 120.0


@contextmanager
def waiting(jobs: Jobs, count: int) -> Iterator[tuple[str, ...]]:
    """Ids of so many QUEUED jobs, each submitted through the API; gone at the end, record and all."""
    jobs.upload(IDLE.artifact, sha256=IDLE.sha256)
    word = uuid.uuid4().hex[:8]
    label = {"labels": {"idle": word}}
    with room.taken(jobs.platform):
        try:
            with ThreadPoolExecutor(_AT_ONCE) as threads:
                started = list(threads.map(lambda _: jobs.start(IDLE, **label), range(count)))  # type: ignore[arg-type]
            yield tuple(job["id"] for job in started)
        finally:
            selection = f"{names.USER_LABEL_PREFIX}idle={word}"
            jobs.platform.kubectl("-n", ENVIRONMENT, "delete", "pipelinerun", "-l", selection, "--wait=false")


def questions() -> dict[str, Question]:
    """How often the server lists each kind: as itself, and as the runner that its janitor acts as."""
    return asked.lists_of([(SERVER, NAMESPACE), (names.RUNNER_ACCOUNT, ENVIRONMENT)], KINDS)


def settle(jobs: Jobs, ids: tuple[str, ...]) -> None:
    """Until every job is QUEUED in the list, and nothing more is to be done with its submit."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        found = {job["id"] for job in jobs.client.jobs({"environment": ENVIRONMENT, "state": ["QUEUED"]}, limit=1000)}
        if set(ids) <= found:
            return
        assert time.monotonic() < deadline, f"{len(set(ids) - found)} are not QUEUED"
        time.sleep(1)
