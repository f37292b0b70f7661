"""Lists of many jobs: filters, order, pages, and that they stay fast."""

from __future__ import annotations

import time

import pytest

from scheduler import names
from scheduler.jobs import listing
from scheduler.jobs.listing import Filter
from scheduler.model.job import JobState
from tests.unit import world
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT, World


def many(count: int) -> World:
    here = world.build()
    template = runs.run()
    for number in range(count):
        job = names.job_id(namespace=ENVIRONMENT, key=str(number))
        metadata = {
            **template["metadata"],  # type: ignore[dict-item]
            "name": job,
            "namespace": ENVIRONMENT,
            "labels": {names.JOB_ID: job},
            "creationTimestamp": f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        }
        here.cluster.put({**template, "metadata": metadata})
    here.board.mirror.start()
    here.settle(lambda: len(here.board.mirror.stamps(ENVIRONMENT)) == count, seconds=30)
    here.board.mirror.stop()
    return here


def test_pages_hold_every_job_once_though_new_ones_come() -> None:
    here = many(25)
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = listing.page(here.board, [ENVIRONMENT], filter_=Filter(), limit=8, cursor=cursor)
        seen += [job.id for job in page.jobs]
        cursor = page.next_cursor

    assert cursor == ""
    assert len(seen) == len(set(seen)) == 25
    times = [listing.created(job) for job_id in seen if (job := here.board.job(ENVIRONMENT, job_id))]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Filter(), 25),
        (Filter(pipeline="flight-delay"), 25),
        (Filter(pipeline="flight"), 0),
        (Filter(labels={"team": "ops"}), 25),
        (Filter(labels={"team": "ops", "x": "y"}), 0),
        (Filter(states=frozenset({JobState.QUEUED})), 25),
        (Filter(states=frozenset({JobState.FAILED})), 0),
        (Filter(since="2026-01-01T00:00:20Z"), 5),
        (Filter(until="2026-01-01T00:00:20Z"), 20),
        (Filter(since="2026-01-01T00:00:05Z", until="2026-01-01T00:00:10Z"), 5),
    ],
)
def test_a_filter_lets_through_what_it_says(wanted: Filter, count: int) -> None:
    here = many(25)

    assert len(listing.page(here.board, [ENVIRONMENT], filter_=wanted, limit=500).jobs) == count


def test_ten_thousand_jobs_cost_no_request_and_little_time() -> None:
    here = many(10_000)
    listing.page(here.board, [ENVIRONMENT], filter_=Filter(), limit=500)
    calls = len(here.cluster.calls)

    started = time.process_time()
    page = listing.page(here.board, [ENVIRONMENT], filter_=Filter(states=frozenset({JobState.QUEUED})), limit=500)
    seconds = time.process_time() - started

    assert len(page.jobs) == 500
    assert len(here.cluster.calls) == calls
    assert seconds < 0.5
