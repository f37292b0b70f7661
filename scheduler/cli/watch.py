"""Follows a job to its end: the server's events, or asking again and again where they do not come through."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from scheduler.cli import job_view, output
from scheduler.client.scheduling import JobJson
from scheduler.client.server_events import ServerEvent
from scheduler.errors import SchedulerError, UnavailableError

_PAUSE_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 120.0
_LINE_SECONDS: Final = 10.0


class Server(Protocol):
    """What watching needs of the scheduling server."""

    def job(self, job_id: str) -> JobJson: ...

    def events(self, job_id: str, *, last_id: str = "") -> Iterator[ServerEvent]: ...


def updates(
    job_id: str,
    server: Server,
    *,
    has_answered: bool = False,
    tell: Callable[[str], None] = output.note,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[JobJson]:
    """The job each time it has changed, the last time finished.

    A broken stream is taken up where it ended, and between two streams the job is asked for, so that a proxy that
    swallows events costs nothing but promptness. A server that does not answer is an UnavailableError at once unless it
    has answered before, to whoever calls (`has_answered`) or here: then it is told, and asked again for two minutes.
    """
    shown: JobJson | None = None
    for job in _reports(job_id, server, has_answered=has_answered, tell=tell, sleep=sleep, clock=clock):
        if job != shown:
            shown = job
            yield job
        if job_view.is_finished(job):
            return


def _reports(
    job_id: str,
    server: Server,
    *,
    has_answered: bool,
    tell: Callable[[str], None],
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> Iterator[JobJson]:
    """All that the server says of the job, without end."""
    answered = clock() if has_answered else None
    last_id, is_told = "", False
    while True:
        pause, is_stream = _PAUSE_SECONDS, False
        try:
            job = server.job(job_id)
            answered, is_stream, is_told = clock(), True, False
            yield job
            for event in server.events(job_id, last_id=last_id):
                answered, last_id = clock(), event.id
                yield json.loads(event.data)
        except UnavailableError as error:
            if answered is None or clock() - answered > _PATIENCE_SECONDS:
                raise
            if not is_stream and not is_told:  # a stream that breaks is no outage: proxies end them
                tell(f"{error}; asking again for up to {_PATIENCE_SECONDS / 60:.0f} min")
                is_told = True
            pause = min(error.retry_after_seconds, _PAUSE_SECONDS)
        except ValueError as error:
            raise SchedulerError(f"the server sent an event that is not JSON: {error}") from error
        sleep(pause)


def show(jobs: Iterable[JobJson], *, is_terminal: bool) -> JobJson | None:
    """Show each state as it comes, on standard error; the last one."""
    return _bars(jobs) if is_terminal else _lines(jobs, clock=time.monotonic)


def _lines(jobs: Iterable[JobJson], *, clock: Callable[[], float]) -> JobJson | None:
    """A line when state or task change, and every ten seconds while records flow."""
    last: JobJson | None = None
    told: tuple[str, str] | None = None
    at = 0.0
    for last in jobs:
        now = (last["state"], last["task"])
        if now != told or clock() - at > _LINE_SECONDS:
            output.note(job_view.line(last))
            told, at = now, clock()
    return last


def _bars(jobs: Iterable[JobJson]) -> JobJson | None:
    last: JobJson | None = None
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[records]}", markup=False),
        TimeElapsedColumn(),
        console=output.console(sys.stderr),
    ) as progress:
        bar = progress.add_task("", total=None, records="")
        for last in jobs:
            words = " ".join(part for part in (last["state"], last["task"]) if part)
            records, speed = job_view.ledger(job_view.counts(last)), job_view.per_second(last)
            shown = f"{records}, {speed:,.0f}/s" if records and speed else records
            progress.update(
                bar,
                description=output.clean(words),
                total=job_view.total(last),
                completed=job_view.counts(last).get("read", 0),
                records=output.clean(shown),
            )
    return last
