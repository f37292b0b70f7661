import json
from collections.abc import Iterator
from typing import Any

import pytest

from scheduler.cli import job_view, watch
from scheduler.client.scheduling import JobJson
from scheduler.client.server_events import ServerEvent
from scheduler.errors import ForbiddenError, SchedulerError, UnavailableError
from scheduler.model import job_json
from scheduler.model.job import Cleanup, Job, JobState, Ledger, Progress, Submission


def _job(state: str, read: int = 0, **changes: Any) -> dict[str, Any]:
    made = Job(
        id="j",
        environment="staging",
        state=JobState(state),
        cleanup=Cleanup.PENDING,
        submission=Submission(pipeline="delay", submitted_by="ada", submitted_at="2026-01-31T00:00:00Z"),
        progress=Progress(ledger=Ledger(read=read, written=read), total=100, records_per_second=5.0) if read else None,
    )
    return {**job_json.job_to_json(made), **changes}


class Server:
    """Answers from a script: each stream is a list of jobs, an exception breaks it."""

    def __init__(self, jobs: list[Any], streams: list[list[Any]]) -> None:
        self.jobs = iter(jobs)
        self.streams = iter(streams)
        self.last_ids: list[str] = []

    def job(self, job_id: str) -> JobJson:
        job: JobJson = self._said(next(self.jobs))
        return job

    def events(self, job_id: str, *, last_id: str = "") -> Iterator[ServerEvent]:
        self.last_ids.append(last_id)
        for number, said in enumerate(next(self.streams)):
            text = said if isinstance(said, str) else json.dumps(self._said(said))
            yield ServerEvent(name="job", data=text, id=f"{len(self.last_ids)}.{number}")

    def _said(self, said: Any) -> Any:
        if isinstance(said, Exception):
            raise said
        return said


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def _states(server: Server, clock: Clock | None = None) -> list[tuple[str, int]]:
    clock = clock or Clock()
    jobs = watch.updates("j", server, sleep=clock.sleep, clock=clock)
    return [(job["state"], job_view.counts(job).get("read", 0)) for job in jobs]


def test_changes_come_as_events_until_the_job_is_over() -> None:
    server = Server([_job("QUEUED")], [[_job("QUEUED"), _job("RUNNING", 5), _job("SUCCEEDED", 9), _job("QUEUED")]])
    assert _states(server) == [("QUEUED", 0), ("RUNNING", 5), ("SUCCEEDED", 9)]


def test_a_finished_job_is_told_once() -> None:
    assert _states(Server([_job("FAILED")], [])) == [("FAILED", 0)]


def test_a_broken_stream_is_taken_up_where_it_ended() -> None:
    streams: list[list[Any]] = [[_job("RUNNING", 5), UnavailableError("reset")], [_job("SUCCEEDED", 9)]]
    server = Server([_job("QUEUED"), _job("RUNNING", 7)], streams)
    assert _states(server) == [("QUEUED", 0), ("RUNNING", 5), ("RUNNING", 7), ("SUCCEEDED", 9)]
    assert server.last_ids == ["", "1.0"]


def test_without_events_the_job_is_asked_for() -> None:
    server = Server([_job("QUEUED"), _job("RUNNING", 5), _job("RUNNING", 5), _job("SUCCEEDED", 9)], [[], [], []])
    clock = Clock()
    assert _states(server, clock) == [("QUEUED", 0), ("RUNNING", 5), ("SUCCEEDED", 9)]
    assert clock.slept == [2.0, 2.0, 2.0]


def test_a_server_that_stays_away_ends_the_watch() -> None:
    clock = Clock()
    server = Server([_job("QUEUED"), *[UnavailableError("gone") for _ in range(200)]], [[]])
    with pytest.raises(UnavailableError, match="gone"):
        _states(server, clock)
    assert 120 < clock.now < 125


def test_a_server_that_never_answered_ends_the_watch_at_once() -> None:
    clock = Clock()
    with pytest.raises(UnavailableError, match="gone"):
        _states(Server([UnavailableError("gone")], []), clock)
    assert clock.slept == []


def test_a_server_that_answered_the_start_is_waited_for() -> None:
    clock = Clock()
    server = Server([UnavailableError("gone"), _job("SUCCEEDED")], [])
    jobs = watch.updates("j", server, has_answered=True, sleep=clock.sleep, clock=clock)
    assert [job["state"] for job in jobs] == ["SUCCEEDED"]


def test_each_outage_is_told_once_and_a_broken_stream_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    gone = UnavailableError("the server does not answer")
    jobs = [_job("QUEUED"), gone, gone, _job("RUNNING", 1), _job("RUNNING", 2), gone, _job("SUCCEEDED", 9)]
    assert _states(Server(jobs, [[], [UnavailableError("reset")], []]))[-1] == ("SUCCEEDED", 9)
    told = "the server does not answer; asking again for up to 2 min"
    assert capsys.readouterr().err.splitlines() == [told, told]


def test_any_other_error_ends_it_at_once() -> None:
    with pytest.raises(ForbiddenError):
        _states(Server([ForbiddenError("no")], []))
    with pytest.raises(SchedulerError, match="not JSON"):
        _states(Server([_job("QUEUED")], [["<html>"]]))


def test_a_state_of_a_later_version_is_watched_on() -> None:
    server = Server([{**_job("QUEUED"), "state": "PAUSED"}], [[_job("SUCCEEDED")]])
    assert _states(server) == [("PAUSED", 0), ("SUCCEEDED", 0)]


def test_for_a_program_a_line_comes_with_each_state(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [_job("QUEUED"), _job("RUNNING", 1000), _job("RUNNING", 2000), _job("SUCCEEDED", 2000, message="done")]
    assert watch.show(jobs, is_terminal=False) == jobs[-1]
    assert capsys.readouterr().err.splitlines() == [
        "QUEUED",
        "RUNNING · 1,000 read, 1,000 written · 5/s",
        "SUCCEEDED · 2,000 read, 2,000 written · done",
    ]


def test_for_a_person_a_bar_shows_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [_job("QUEUED"), _job("RUNNING", 40), _job("SUCCEEDED", 100)]
    assert watch.show(jobs, is_terminal=True) == jobs[-1]
    assert "100%" in capsys.readouterr().err


def test_the_bar_shows_no_state_that_nobody_told(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    server = Server([UnavailableError("gone")], [])
    with pytest.raises(UnavailableError):
        watch.show(watch.updates("j", server, sleep=clock.sleep, clock=clock), is_terminal=True)
    assert "QUEUED" not in capsys.readouterr().err


def test_a_list_shows_the_start_of_a_long_message() -> None:
    assert job_view.row(_job("FAILED", message="x" * 100))[-1] == "x" * 59 + "…"


def test_a_job_without_anything_yet_can_be_shown() -> None:
    facts = dict(job_view.facts(_job("QUEUED")))
    assert facts["state"] == "QUEUED"
    assert facts["records"] == ""
