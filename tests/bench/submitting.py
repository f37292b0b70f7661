"""Orders at a fixed rate, many at once if answers are late; and an environment in which jobs stay pending meanwhile."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlencode

from scheduler import names
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import ProgramError
from tests.e2e import room

PIPELINE: Final = "bench-submit"
PART: Final = "part"
"""Label of each job, with one of `PARTS` numbers."""
PARTS: Final = 4
_MOST_AT_ONCE: Final = 32
_LIMIT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    jobs: Sequence[str]
    times: Sequence[float]
    """Seconds from the moment at which an order was due to its answer, rising."""
    per_second: float
    """From the first due moment to the last answer."""


def at_rate(client: SchedulingClient, order: Mapping[str, object], *, rate: float, count: int) -> Submitted:
    """Send `count` orders, each with a key of its own, one every 1/`rate` seconds whether answers come or not."""

    def send(number: int, due: float) -> tuple[str, float]:
        job, is_new = client.start({**order, "labels": {PART: str(number % PARTS)}}, key=uuid.uuid4().hex)
        assert is_new
        return job["id"], time.monotonic() - due

    began = time.monotonic()
    sent: list[Future[tuple[str, float]]] = []
    threads = ThreadPoolExecutor(_MOST_AT_ONCE)
    try:
        for number in range(count):
            due = began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            sent.append(threads.submit(send, number, due))
        wait(sent)
    finally:
        threads.shutdown(cancel_futures=True)  # who interrupts the bench does not wait for thousands of late orders
    seconds = time.monotonic() - began
    found = [future.result() for future in sent]
    return Submitted(
        jobs=[job for job, _ in found], times=sorted(took for _, took in found), per_second=count / seconds
    )


def quantile(times: Sequence[float], part: float) -> float:
    """Of times that rise."""
    return times[min(len(times) - 1, int(len(times) * part))]


@contextmanager
def no_room(platform: Platform) -> Iterator[None]:
    """Jobs are taken, and their tasks wait; at the end the bench's jobs are gone, at the beginning those of one that
    was killed.
    """
    remove(platform)
    with room.taken(platform):
        try:
            yield
        finally:
            remove(platform)


def remove(platform: Platform) -> None:
    """Delete every run and task run of the bench's pipeline; what belongs to them goes after them, in the background.

    Whole collections, as many at once as there are parts: one by one, kubectl takes minutes. The API server cuts a
    request off after one.
    """
    with ThreadPoolExecutor(PARTS) as threads:
        for kind in ("pipelineruns", "taskruns"):
            for _ in threads.map(partial(_remove, platform, kind), range(PARTS)):
                pass


def _remove(platform: Platform, kind: str, part: int) -> None:
    selector = urlencode({"labelSelector": f"{names.PIPELINE}={PIPELINE},{names.USER_LABEL_PREFIX}{PART}={part}"})
    where = f"/apis/tekton.dev/v1/namespaces/{ENVIRONMENT}/{kind}?{selector}"

    def is_empty() -> bool:
        with suppress(ProgramError):
            platform.kubectl("delete", "--raw", where)
        return not json.loads(platform.kubectl("get", "--raw", f"{where}&limit=1"))["items"]

    until(is_empty)


def ended_runs(cluster: KubernetesCluster, model: str, *, count: int) -> None:
    """Make `count` jobs straight through Kubernetes, like `model` but cancelled before they began."""
    run = cluster.get("PipelineRun", model, ENVIRONMENT)
    metadata = {key: run["metadata"][key] for key in ("namespace", "labels", "annotations")}

    def create(number: int) -> None:
        job = names.job_id(namespace=ENVIRONMENT, key=f"bench {number} {uuid.uuid4().hex}")
        part = {names.USER_LABEL_PREFIX + PART: str(number % PARTS)}
        labels = {**metadata["labels"], **part, names.JOB_ID: job}
        cluster.create(
            {
                "apiVersion": run["apiVersion"],
                "kind": "PipelineRun",
                "metadata": {**metadata, "name": job, "labels": labels},
                "spec": {**run["spec"], "status": "Cancelled"},
            }
        )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(create, range(count)))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.5)


def memory_mib(platform: Platform, namespace: str, deployment: str) -> float:
    """Resident memory of a deployment's one process."""
    status = platform.kubectl("-n", namespace, "exec", f"deployment/{deployment}", "--", "cat", "/proc/1/status")
    kib = next(line for line in status.decode().splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kib) / 1024
