"""Requests that come while their model runs are answered by its next call; nobody waits for others to come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from scheduler.serving import together
from scheduler.serving.execution import Lane
from scheduler.serving.faults import RequestRefusedError, ServerBusyError
from scheduler.serving.gathering import Gathering
from scheduler.serving.inference import Order, Scored
from scheduler.serving.runners import fake
from scheduler.serving.runners.fake import FakeRunner
from tests.unit.serving import serve


def answered(
    folder: Path, numbers: Sequence[float], runner: FakeRunner, lane: Lane, *, apart: float = 0
) -> list[Scored | BaseException]:
    """What comes of one request a number, sent `apart` seconds after one another."""
    model = serve.model(folder)

    async def send() -> list[Scored | BaseException]:
        gathering = Gathering(lane)
        tasks = []
        for number in numbers:
            order = Order(body=serve.request([number]), header_length=None, model=model, runner=runner)
            tasks.append(asyncio.create_task(gathering.answer(order)))
            if apart:
                await asyncio.sleep(apart)
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=10)

    return asyncio.run(send())


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner(signature=serve.SIGNATURE)


def test_what_comes_in_one_moment_is_one_call(tmp_path: Path, runner: FakeRunner) -> None:
    found = answered(tmp_path, range(8), runner, Lane())

    assert all(isinstance(one, Scored) for one in found)
    assert runner.calls == [8]


def test_what_comes_while_the_model_runs_is_the_next_call(tmp_path: Path) -> None:
    slow = FakeRunner(signature=serve.SIGNATURE, seconds=0.4)

    answered(tmp_path, range(5), slow, Lane(), apart=0.02)

    assert slow.calls == [1, 4]


def test_a_request_alone_is_called_for_at_once(tmp_path: Path, runner: FakeRunner) -> None:
    answered(tmp_path, range(3), runner, Lane(), apart=0.05)

    assert runner.calls == [1, 1, 1]


def test_a_call_has_so_many_requests_at_most(tmp_path: Path, runner: FakeRunner) -> None:
    answered(tmp_path, range(together.MOST + 5), runner, Lane())

    assert runner.calls == [together.MOST, 5]


def test_only_who_is_at_fault_hears_of_it(tmp_path: Path, runner: FakeRunner) -> None:
    good, bad, other = answered(tmp_path, [1.0, fake.POISON, 2.0], runner, Lane())

    assert isinstance(good, Scored)
    assert isinstance(bad, RequestRefusedError)
    assert isinstance(other, Scored)


def test_as_many_wait_as_may_wait(tmp_path: Path, runner: FakeRunner) -> None:
    found = answered(tmp_path, range(5), runner, Lane(most_waiting=3))

    assert [isinstance(one, ServerBusyError) for one in found] == [False, False, False, True, True]


def test_whoever_went_away_leaves_the_others_their_answers(tmp_path: Path) -> None:
    slow = FakeRunner(signature=serve.SIGNATURE, seconds=0.2)
    model = serve.model(tmp_path)

    async def send() -> tuple[object, Scored]:
        gathering = Gathering(Lane())
        order = Order(body=serve.request([1.0]), header_length=None, model=model, runner=slow)
        first, second = (asyncio.create_task(gathering.answer(order)) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        return (await asyncio.gather(first, return_exceptions=True))[0], await second

    gone, answer = asyncio.run(send())
    assert isinstance(gone, asyncio.CancelledError)
    assert answer.rows == 1


def test_a_thread_that_takes_nothing_more_is_told_to_everybody(tmp_path: Path, runner: FakeRunner) -> None:
    lane = Lane()
    lane.close()

    assert all(isinstance(one, RuntimeError) for one in answered(tmp_path, range(3), runner, lane))
