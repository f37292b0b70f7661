"""Starts jobs as an operator, waits for their ends, and says what must hold then."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from scheduler.artifacts.client import ModelopsClient
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.demo import check
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.demo.volume import Volume
from scheduler.errors import UnavailableError
from scheduler.model.job import JobState, Reason
from scheduler.tekton import diagnosis
from tests.e2e import callers
from tests.e2e.pod_logs import PodLogs
from tests.e2e.recipes import Recipe

AT_ONCE: Final = 5
"""Jobs that run side by side: more of them do not fit into two CPUs."""
LIMIT_SECONDS: Final = 240
_PAUSE_SECONDS: Final = 0.5
LOOKED_AT: Final[dict[str, PodLogs]] = {}
"""The jobs that the test at work has looked at, and where their logs are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Everything that a test needs to start jobs and to look at what became of them."""

    client: SchedulingClient
    store: ModelopsClient
    files: Volume
    platform: Platform
    logs: PodLogs
    login: Login
    """The operator's, for requests whose very answer is looked at."""

    def start(self, recipe: Recipe, *, key: str = "", **more: object) -> JobJson:
        """Upload the model and start the job; `more` goes into the order as it is."""
        if recipe.is_uploaded:
            self.upload(recipe.artifact, sha256=recipe.sha256)
        job, _ = self.client.start(order(recipe, **more), key=key or uuid.uuid4().hex)
        return job

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """The server's answer as it is."""
        with callers.http(self.login.url, self.login.token) as client:
            return client.request(method, path, json=body)

    def upload(self, content: bytes, *, sha256: str) -> None:
        upload(self.store, content, sha256=sha256)

    def give(self, recipe: Recipe, source: bytes | None) -> None:
        """Put the recipe's source on the volume, or none; whatever its earlier jobs left is gone."""
        self.files.remove(recipe.source, *self.published(recipe))
        if source is not None:
            self.files.put(recipe.source, source)

    def run(self, recipe: Recipe) -> JobJson:
        return self.finish(self.start(recipe)["id"])

    def run_all(self, recipes: Mapping[str, Recipe]) -> dict[str, JobJson]:
        """Each recipe's finished job; some of them run at once."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return dict(zip(recipes, threads.map(self.run, recipes.values()), strict=True))

    def finish(self, job_id: str, *, limit_seconds: float = LIMIT_SECONDS) -> JobJson:
        return self.until(job_id, lambda job: JobState(job["state"]).is_finished, limit_seconds=limit_seconds)

    def until(
        self, job_id: str, is_right: Callable[[JobJson], bool], *, limit_seconds: float = LIMIT_SECONDS
    ) -> JobJson:
        """The job as soon as it is as wanted; AssertionError when it finishes otherwise, or has not come so far.

        One that is LEAKED may still change: the janitor comes after its end.
        """
        LOOKED_AT[job_id] = self.logs
        deadline = time.monotonic() + limit_seconds
        last = "nobody answered"
        while time.monotonic() < deadline:
            with suppress(UnavailableError):  # a server that starts again
                job = self.client.job(job_id)
                if is_right(job):
                    return job
                last = shown(job)
                may_change = job["cleanup"] == "LEAKED" or not JobState(job["state"]).is_finished
                assert may_change, f"it finished: {last}"
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"not within {limit_seconds:g} s: {last}")

    def assert_ended(
        self,
        job: JobJson,
        *,
        state: JobState,
        reason: Reason,
        task: str = "",
        words: tuple[str, ...] = (),
        cleanup: str = "CLEAN",
    ) -> None:
        """State, reason, task, each of `words` in the message, a diagnosis that fits, and nothing left anywhere."""
        LOOKED_AT[job["id"]] = self.logs
        found = (job["state"], job["reason"], job["task"], job["cleanup"])
        assert found == (state.value, reason.value, task, cleanup), shown(job)
        for word in words:
            assert word in job["message"], f"no '{word}' in: {job['message']}"
        expected = None if (state, cleanup) == (JobState.SUCCEEDED, "CLEAN") else diagnosis.of(reason)
        told = job["diagnosis"] or {"category": "", "summary": "", "resolution": ""}
        wanted = (expected.category, expected.summary, expected.resolution) if expected else ("", "", "")
        assert (told["category"], told["summary"], told["resolution"]) == wanted
        if state is JobState.FAILED:
            assert told["detail"] == job["message"]
        self.assert_nothing_left(job["id"])

    def assert_nothing_left(self, job_id: str) -> None:
        """No object of any kind bears the release's label."""
        assert check.leftovers(self.platform, job_id) == []

    def lines(self, path: str) -> list[dict[str, Any]]:
        """The records of a CSV or JSON lines file on the volume, by the end of its name."""
        content = self.files.get(path)
        text = (gzip.decompress(content) if path.endswith(".gz") else content).decode()
        if ".csv" in path:
            return list(csv.DictReader(io.StringIO(text, newline="")))
        return [json.loads(line) for line in text.splitlines()]

    def published(self, recipe: Recipe) -> set[str]:
        """Every file on the volume that the recipe's job could have made: results, manifests, unfinished parts."""
        mine = (name for name in self.files.names() if name.split("/")[-1].lstrip(".").startswith(f"{recipe.name}."))
        return {name for name in mine if name != recipe.source}


def upload(store: ModelopsClient, content: bytes, *, sha256: str) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        store.upload(Path(file.name), sha256=sha256)


def order(recipe: Recipe, **more: object) -> dict[str, object]:
    """The body of `POST /v1/jobs` that starts the recipe."""
    return {"environment": ENVIRONMENT, "ir": recipe.documents(), **more}


def ledger(job: JobJson) -> dict[str, int]:
    """The terms of the job's ledger that are not 0."""
    return {term: count for term, count in check.ledger(job).items() if count}


def shown(job: JobJson) -> str:
    keys = ("id", "pipeline", "state", "task", "reason", "message", "cleanup", "leftovers", "progress")
    return ", ".join(f"{key}={job[key]!r}" for key in keys)
