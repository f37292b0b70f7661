"""Compares how a job or an order ended with its row of the table."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import httpx

from scheduler.cli import app, exit_codes
from scheduler.client.scheduling import JobJson
from scheduler.errors import SchedulerError
from scheduler.model import problem_json
from scheduler.model.job import JobState
from scheduler.tekton import diagnosis
from tests.e2e import support
from tests.e2e.ends.end import End
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

COMPARED: Final[set[str]] = set()
"""Ids of the rows that the test at work has compared something with."""
_NOTHING: Final = {"category": "", "summary": "", "detail": "", "resolution": ""}


def assert_ended(jobs: Jobs, job: JobJson, end: End, *, recipe: Recipe | None = None, **known: str) -> None:
    """The finished job is all that its row says, within its time, and nothing of it is left but its record.

    With the recipe the volume is looked at as well. `known` fills the placeholders of the row's words.
    """
    COMPARED.add(end.id)
    support.LOOKED_AT[job["id"]] = jobs.logs
    assert end.state is not None
    assert (job["state"], job["reason"]) == (end.state.value, end.reason.value), support.shown(job)
    assert job["task"] in end.tasks, support.shown(job)
    assert job["cleanup"] in {cleanup.value for cleanup in end.cleanups}, support.shown(job)
    _assert_said(job["message"], end.said(**known))
    assert _diagnosis(job) == _expected_diagnosis(end, job)
    if end.ledger is not None:
        assert support.ledger(job) == end.ledger
    assert exit_codes.of_job(job["state"], job["cleanup"]) == end.exit_code
    assert seconds(job) <= end.seconds, f"it took {seconds(job):g} s"
    if recipe is not None:
        _assert_published(jobs, recipe, end)
    if job["cleanup"] != "LEAKED":
        jobs.assert_nothing_left(job["id"])


def assert_answered(end: End, answer: httpx.Response, **known: str) -> None:
    """The answer is a problem document as its row says."""
    assert answer.headers["content-type"] == problem_json.MEDIA_TYPE, answer.text
    assert_refused(end, answer.status_code, answer.json(), **known)


def assert_refused(end: End, status: int, document: Mapping[str, Any], **known: str) -> None:
    """The problem document has the row's status, and says all its words."""
    assert (status, document["status"]) == (end.status, end.status), document
    assert_error(end, problem_json.error_of(status, document), **known)


def assert_error(end: End, error: SchedulerError, **known: str) -> None:
    """What a client raises stands for the row's status and exit code, and says all its words."""
    COMPARED.add(end.id)
    assert exit_codes.of(error) == end.exit_code, repr(error)
    assert end.status is not None
    _assert_said(str(error), end.said(**known))


def assert_command_refused(end: End, command: Sequence[str], **known: str) -> None:
    """`modelops` with these words, under the login that the environment's variables name, ends as the row says."""
    COMPARED.add(end.id)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as told:
        code = app.main(command)
    assert code == end.exit_code, told.getvalue() + out.getvalue()
    for word in end.said(**known):
        assert _plain(word) in _plain(told.getvalue()), told.getvalue()


def seconds(job: JobJson) -> float:
    """From the order to the job's end, by the cluster's clock."""
    times = [datetime.fromisoformat(text) for text in job["timestamps"].values()]
    return (max(times) - min(times)).total_seconds()


def _assert_said(message: str, words: Sequence[str]) -> None:
    for word in words:
        assert word in message, f"no '{word}' in: {message}"


def _plain(text: str) -> str:
    """Without the breaks that a terminal's width made."""
    return "".join(text.split())


def _diagnosis(job: JobJson) -> Mapping[str, Any]:
    return job["diagnosis"] or _NOTHING


def _expected_diagnosis(end: End, job: JobJson) -> Mapping[str, Any]:
    """All of it; its detail is the message, or what the message says of the teardown."""
    expected = diagnosis.of(end.reason, detail=job["message"])
    if (end.state, job["cleanup"]) == (JobState.SUCCEEDED, "CLEAN") or expected is None:
        return _NOTHING
    detail = str(_diagnosis(job)["detail"])
    assert detail, support.shown(job)
    assert job["message"].endswith(detail), f"the diagnosis tells of '{detail}', the message: {job['message']}"
    return {
        "category": expected.category,
        "summary": expected.summary,
        "detail": detail,
        "resolution": expected.resolution,
    }


def _assert_published(jobs: Jobs, recipe: Recipe, end: End) -> None:
    """A result is there whole, with its manifest; otherwise no file of the job's is."""
    found = jobs.published(recipe) - {recipe.rejects}
    assert found == ({recipe.sink, f"{recipe.sink}.manifest.json"} if end.is_published else set())
    if not end.is_published:
        assert jobs.published(recipe) == set()
