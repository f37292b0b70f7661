"""Requests that share a call of their model are answered as if each had come alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.serving import inference, together
from scheduler.serving.faults import RequestRefusedError
from scheduler.serving.inference import Order, Scored
from scheduler.serving.runners import fake
from scheduler.serving.runners.fake import FakeRunner
from tests.unit.serving import serve

NUMBERS = st.floats(-1e6, 1e6) | st.just(fake.POISON) | st.none()
ASKED = st.sampled_from([None, [{"name": "total"}], [{"name": "maybe", "parameters": {"binary_data": True}}]])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Requests of few rows: good ones, with values missing, with rows that fail, and no requests at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([b"", b"{}", b"[1]", serve.request(["x"])]))
    count = draw(st.integers(1, 4))
    a = draw(st.lists(NUMBERS, min_size=count, max_size=count))
    missing = draw(st.none() | st.lists(st.booleans(), min_size=count, max_size=count))
    inputs: list[Mapping[str, Any]] = [serve.tensor("a", a), serve.tensor("b", [1.5] * count)]
    if missing is not None:
        inputs.append(serve.tensor("b.null", missing, "BOOL"))
    asked = draw(ASKED)
    more = {} if asked is None else {"outputs": asked}
    return orjson.dumps({"id": draw(st.sampled_from(["1", "2"])), "inputs": inputs, **more})


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    model = serve.model(tmp_path_factory.mktemp("model"))
    return Order(body=b"", header_length=None, model=model, runner=FakeRunner(signature=serve.SIGNATURE))


def told(outcome: Scored | Exception) -> object:
    """An outcome, comparable."""
    if isinstance(outcome, RequestRefusedError):
        return str(outcome), outcome.rows
    return outcome if isinstance(outcome, Scored) else (type(outcome), str(outcome))


def alone(order: Order) -> object:
    try:
        return inference.answer(order)
    except Exception as fault:  # noqa: BLE001 - compared
        return told(fault)


@settings(max_examples=200)
@given(given_=st.lists(bodies(), min_size=1, max_size=12))
def test_answers_and_refusals_are_those_of_each_alone(order: Order, given_: Sequence[bytes]) -> None:
    orders = [replace(order, body=body) for body in given_]

    assert [told(outcome) for outcome in together.answers(orders)] == [alone(each) for each in orders]


def test_good_requests_share_one_call(order: Order) -> None:
    runner = FakeRunner(signature=serve.SIGNATURE)
    orders = [replace(order, body=serve.request([float(number)]), runner=runner) for number in range(10)]

    assert all(isinstance(outcome, Scored) for outcome in together.answers(orders))
    assert runner.calls == [10]


def test_other_outputs_and_other_runners_have_calls_of_their_own(order: Order) -> None:
    first, second = (FakeRunner(signature=serve.SIGNATURE) for _ in range(2))
    whole, part = serve.request([1.0]), serve.request([1.0], outputs=[{"name": "total"}])
    pairs = [(whole, first), (part, first), (whole, second), (whole, first)]

    together.answers([replace(order, body=body, runner=runner) for body, runner in pairs])

    assert (first.calls, second.calls) == ([2, 1], [1])


def test_a_call_that_fails_is_made_again_for_each_alone(order: Order) -> None:
    runner = FakeRunner(signature=serve.SIGNATURE)
    orders = [replace(order, body=serve.request([number]), runner=runner) for number in (1.0, fake.POISON, 2.0)]

    good, bad, other = together.answers(orders)

    assert isinstance(good, Scored)
    assert isinstance(other, Scored)
    assert isinstance(bad, RequestRefusedError)
    assert [fault.index for fault in bad.rows] == [0]
    assert runner.calls == [3, 1, 1, 1]


def test_no_more_rows_share_a_call_than_a_request_may_have(order: Order, tmp_path: Path) -> None:
    runner = FakeRunner(signature=serve.SIGNATURE)
    small = replace(serve.model(tmp_path), signature=replace(serve.SIGNATURE, most_rows=3))
    orders = [replace(order, body=serve.request([1.0, 2.0]), model=small, runner=runner) for _ in range(2)]

    assert all(isinstance(outcome, Scored) for outcome in together.answers(orders))
    assert runner.calls == [2, 2]
