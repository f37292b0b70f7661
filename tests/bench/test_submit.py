"""Orders a second while jobs wait in line, what one of them costs to look at, and lists of ten thousand."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import pytest

from scheduler.artifacts.client import ModelopsClient
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE
from scheduler.rest import Query
from tests.bench import submitting
from tests.bench.record import Bench
from tests.bench.submitting import quantile
from tests.e2e.deployed import Deployed
from tests.e2e.recipes import Recipe

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

RECIPE: Final = Recipe(name=submitting.PIPELINE)
Answer = TypeVar("Answer")
SERVER: Final = "modelops-scheduling-server"
PAGE: Final = 500


def test_submit(
    bench: Bench, client: SchedulingClient, store: ModelopsClient, cluster: KubernetesCluster, deployed: Deployed
) -> None:
    minutes = bench.size(short=0, full=5)
    bench.of(
        "Submit",
        "`POST /v1/jobs` with the IR in the body, a key of its own each, at a fixed rate; time counts from when an "
        f"order was due. The rate of 22/s is held for {minutes} minutes. Task pods have no room, so that "
        "every job stays pending: its run and first task run are there, and Tekton follows them on the same cores. "
        "Then `GET` of single jobs, and runs made straight through Kubernetes until there are 10,000 jobs to list.",
    )
    _upload(store)
    order = {"environment": ENVIRONMENT, "ir": RECIPE.documents()}
    with submitting.no_room(deployed.platform):
        at_ten = submitting.at_rate(client, order, rate=10, count=bench.size(short=10, full=300))
        bench.figure("POST at 10/s, p50", quantile(at_ten.times, 0.5) * 1000, "ms")
        bench.figure("POST at 10/s, p99", quantile(at_ten.times, 0.99) * 1000, "ms", at_most=500)
        sustained = submitting.at_rate(client, order, rate=22, count=bench.size(short=22, full=22 * 60 * minutes))
        bench.figure(f"POST for {minutes} minutes", sustained.per_second, "jobs/s", at_least=20)
        bench.figure(f"POST for {minutes} minutes, p99", quantile(sustained.times, 0.99) * 1000, "ms")
        jobs = [*at_ten.jobs, *sustained.jobs]
        assert len(set(jobs)) == len(jobs)
        asked = [_timed(partial(client.job, job))[0] for job in jobs[-bench.size(short=20, full=500) :]]
        bench.figure("GET of one job, p99", quantile(sorted(asked), 0.99) * 1000, "ms", at_most=100)
        wanted = bench.size(short=len(jobs), full=10_000)
        submitting.ended_runs(cluster, jobs[0], count=wanted - len(jobs))
        _list(bench, client, wanted)
        used = submitting.memory_mib(deployed.platform, NAMESPACE, SERVER)
        bench.figure(f"memory of the server with {wanted:,} jobs", used, "MiB", at_most=300)


def _list(bench: Bench, client: SchedulingClient, count: int) -> None:
    """Walk through all pages, after the server has heard of every job."""
    query: Query = {"pipeline": RECIPE.name, "environment": ENVIRONMENT}
    submitting.until(lambda: len(client.jobs(query, limit=count)) == count)
    times: list[float] = []
    for _ in range(bench.size(short=1, full=5)):
        seen: set[str] = set()
        cursor: str | None = None
        while cursor is None or cursor:
            seconds, page = _timed(partial(client.page, {**query, "limit": PAGE, "cursor": cursor}))
            times.append(seconds)
            seen.update(job["id"] for job in page["jobs"])
            cursor = page["nextCursor"] or ""
        assert len(seen) == count
    bench.figure(f"page of {PAGE} of {count:,} jobs, p50", quantile(sorted(times), 0.5) * 1000, "ms")
    bench.figure(f"page of {PAGE} of {count:,} jobs, p99", quantile(sorted(times), 0.99) * 1000, "ms", at_most=500)


def _timed(ask: Callable[[], Answer]) -> tuple[float, Answer]:
    began = time.perf_counter()
    answer = ask()
    return time.perf_counter() - began, answer


def _upload(store: ModelopsClient) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(RECIPE.artifact)
        file.flush()
        store.upload(Path(file.name), sha256=RECIPE.sha256)
