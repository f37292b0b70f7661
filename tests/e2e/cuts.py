"""Submits whose server is killed, and what must be in the cluster afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.cluster import faults
from scheduler.cluster.faults import Gap
from scheduler.cluster.port import Cluster
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import NotFoundError, UnavailableError
from scheduler.model.types import Manifest
from tests.e2e.replicas import Replicas

HELD: Final = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "nothing-starts", "namespace": ENVIRONMENT},
    "spec": {"hard": {"count/taskruns.tekton.dev": "0"}},
}
SWEPT_SECONDS: Final = 60.0
"""A half-made submit is finished by another replica after 15 s; the rest is room for a busy machine."""
_TRIES: Final = 30
_LONGEST_PAUSE_SECONDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One submit that its server did not live to answer."""

    key: str
    status: int
    """What the server ended with."""
    uid: str
    """Of the run that it left; empty when it left none."""

    @property
    def job_id(self) -> str:
        return names.job_id(namespace=ENVIRONMENT, key=self.key)


@contextmanager
def held(platform: Platform) -> Iterator[None]:
    """No run of the environment gets further than to be let go."""
    platform.apply(HELD)
    try:
        yield
    finally:
        platform.kubectl("-n", ENVIRONMENT, "delete", "resourcequota", HELD["metadata"]["name"], "--ignore-not-found")  # type: ignore[index]


def cut(gap: Gap, *, key: str, order: Mapping[str, object], replicas: Replicas, cluster: Cluster) -> Cut:
    """Send the order to a replica that ends in this gap of it."""
    replica = replicas.start(f"exit:{gap}")
    with replicas.client(replica) as client:
        try:
            client.start(order, key=key)
        except UnavailableError:
            status = replicas.status(replica)
        else:
            replicas.kill(replica)
            raise AssertionError(f"the server has outlived {gap}")
    return Cut(key=key, status=status, uid=uid_of(key, cluster))


def uid_of(key: str, cluster: Cluster) -> str:
    with suppress(NotFoundError):
        run = cluster.get("PipelineRun", names.job_id(namespace=ENVIRONMENT, key=key), ENVIRONMENT)
        return str(run["metadata"]["uid"])
    return ""


def start(
    client: SchedulingClient,
    order: Mapping[str, object],
    *,
    key: str,
    told: Callable[[UnavailableError], object] = lambda error: None,
) -> tuple[JobJson, bool]:
    """As a client does it: the same key again, after the time that the server asks for; `told` of each refusal.

    A test is less patient: an API server that goes on refusing asks for half a minute.
    """
    for _ in range(_TRIES):
        try:
            return client.start(order, key=key)
        except UnavailableError as error:
            told(error)
            time.sleep(min(error.retry_after_seconds, _LONGEST_PAUSE_SECONDS))
    return client.start(order, key=key)


def complaints(uids: Mapping[str, str], *, cluster: Cluster) -> list[str]:
    """What is wrong with jobs that must be there, each once, whole and let go; two lists, however many there are.

    `uids` has each job's id and, where one was seen, the uid that its run must have.
    """
    found: dict[str, dict[str, list[Manifest]]] = {}
    for kind in ("PipelineRun", "ConfigMap"):
        for manifest in cluster.list(kind, ENVIRONMENT, labels={names.JOB_ID: None}):
            job_id = manifest["metadata"]["labels"][names.JOB_ID]
            found.setdefault(job_id, {"PipelineRun": [], "ConfigMap": []})[kind].append(manifest)
    return [f"{job_id}: {fault}" for job_id, uid in uids.items() for fault in _of_job(found.get(job_id, {}), uid)]


def _of_job(objects: Mapping[str, list[Manifest]], uid: str) -> Iterator[str]:
    runs, inputs = objects.get("PipelineRun", []), objects.get("ConfigMap", [])
    if len(runs) == len(inputs) == 1:
        yield from _faults(runs[0], inputs[0], uid)
    else:
        yield f"{len(runs)} runs and {len(inputs)} inputs"


def _faults(run: Manifest, given: Manifest, uid: str) -> Iterator[str]:
    metadata = run["metadata"]
    if uid and metadata["uid"] != uid:
        yield "the run was made twice"
    if run["spec"].get("status"):
        yield f"the run is not let go but {run['spec']['status']}"
    if [owner["uid"] for owner in given["metadata"].get("ownerReferences", ())] != [metadata["uid"]]:
        yield "the run does not own its input"
    if names.UNCOMMITTED in given["metadata"]["labels"]:
        yield "the input counts as uncommitted"
    for digest in (names.BODY_DIGEST, names.IR_DIGEST, names.VALUES_DIGEST):
        if metadata["annotations"][digest] != given["metadata"]["annotations"][digest]:
            yield f"run and input disagree about {digest}"


def settled(job_ids: Iterable[str], *, cluster: Cluster, limit_seconds: float = SWEPT_SECONDS) -> dict[str, str]:
    """The uid of each job's run, as soon as nothing is left to do for any of them."""
    wanted, deadline = set(job_ids), time.monotonic() + limit_seconds
    while True:
        runs = {run["metadata"]["name"]: run for run in cluster.list("PipelineRun", ENVIRONMENT)}
        late = [job for job in wanted if job not in runs or runs[job]["spec"].get("status")]
        if not late:
            return {job: runs[job]["metadata"]["uid"] for job in wanted}
        assert time.monotonic() < deadline, f"not let go within {limit_seconds:g} s: {', '.join(late[:5])}"
        time.sleep(0.5)


def remove(job_ids: Iterable[str], *, platform: Platform) -> None:
    """Delete the runs, and with them what they own; inputs without a run go too."""
    listed = sorted(job_ids)
    for at in range(0, len(listed), 200):
        selection = f"{names.JOB_ID} in ({','.join(listed[at : at + 200])})"
        for kind in ("pipelineruns.tekton.dev", "configmaps"):
            platform.kubectl("-n", ENVIRONMENT, "delete", kind, "-l", selection, "--ignore-not-found", "--wait=false")


EXIT: Final = faults.EXIT_CODE
