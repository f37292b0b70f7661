"""Outages of the scoring service: they are waited out, and never become dead letters."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from scheduler.flow import completion
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import ScoreStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="p")


def test_the_service_comes_three_seconds_late(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.stop()
    threading.Timer(3, service.start).start()
    flow = make(SCORE, url=service.url)
    flow.write(data(1000))
    assert flow.run().ledger == Ledger(read=1000, written=1000)


def test_the_service_goes_away_for_three_seconds(make: Any, service: Any, data: Callable[..., str]) -> None:
    score, seen = service.answer, threading.Event()

    def answer(xs: list[Any]) -> list[Any]:
        if len(service.requests) > 10 and not seen.is_set():
            seen.set()
            threading.Thread(target=service.stop).start()
            threading.Timer(3, service.start).start()
            time.sleep(0.5)
        scored: list[Any] = score(xs)
        return scored

    service.answer = answer
    flow = make(SCORE, url=service.url)
    flow.write(data(20_000))
    end = flow.run()
    assert seen.is_set()
    assert end.ledger == Ledger(read=20_000, written=20_000)
    assert [record["id"] for record in flow.records()] == list(range(20_000))


@pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
def test_an_outage_is_never_a_dead_letter(make: Any, service: Any, data: Callable[..., str], status: int) -> None:
    service.statuses = [status] * 5
    flow = make(SCORE, url=service.url)
    flow.write(data(600))
    assert flow.run().ledger == Ledger(read=600, written=600)
    assert service.statuses == []


def test_an_outage_ends_with_the_run_deadline(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.statuses = [503] * 1000
    flow = make(SCORE, url=service.url, run_seconds=1.5)
    flow.write(data(600))
    end = flow.run()
    assert end.reason is Reason.RUN_DEADLINE
    assert "model 'm': HTTP 503" in end.message
    assert end.ledger.dead_lettered == 0
    assert flow.published() == set()


def test_a_service_that_never_gets_ready(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.is_ready = False
    flow = make(SCORE, url=service.url, ready_seconds=1)
    flow.write(data(10))
    end = flow.run()
    assert end.reason is Reason.READY_DEADLINE
    assert f"model 'm' at {service.url} is not ready: HTTP 503" in end.message
    assert completion.exit_code(end) == 11
    assert flow.published() == set()


def test_a_service_that_answers_with_another_number_of_rows(make: Any, service: Any, data: Callable[..., str]) -> None:
    service.answer = lambda xs: list(xs)[1:]
    flow = make(SCORE, url=service.url)
    flow.write(data(10))
    end = flow.run()
    assert end.reason is Reason.SERVICE_CRASHED
    assert "shape [9] for 10 rows" in end.message
    assert flow.published() == set()
