"""One inference, from the bytes that came to the bytes that go; runs in whatever thread it is called in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.serving import columns, faults, wire
from scheduler.serving.columns import Column, Columns
from scheduler.serving.config import ModelConfig
from scheduler.serving.faults import RequestRefusedError, RowFault
from scheduler.serving.runners.port import Runner
from scheduler.serving.wire import Answer, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request as it came, with the model that is to answer it."""

    body: bytes
    header_length: int | None
    model: ModelConfig
    runner: Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    answer: Answer
    rows: int


def answer(order: Order) -> Scored:
    """The answer; RequestRefusedError when the request or single rows of it are bad."""
    request = read(order)
    outputs = scored(request.columns, rows=request.rows, names=names(request), order=order)
    return written(request, outputs, order=order)


def read(order: Order) -> Request:
    """The request in the order's body; RequestRefusedError for a bad one."""
    return wire.read(order.body, header_length=order.header_length, signature=order.model.signature)


def names(request: Request) -> tuple[str, ...]:
    """The outputs that are asked for, each once."""
    return tuple(dict.fromkeys(wanted.name for wanted in request.outputs))


def scored(given: Columns, *, rows: int, names: Sequence[str], order: Order) -> Columns:
    """The outputs for `rows` rows as the order's model gives them; RequestRefusedError names the bad ones."""
    # a model's own divisions by zero are seen by its values, and reported row by row
    with np.errstate(all="ignore"):
        results = order.runner.predict(given, outputs=names)
    settled: dict[str, Column] = {}
    bad: list[RowFault] = []
    for name in names:
        if len(results[name]) != rows:
            raise RequestRefusedError(f"the model gives {len(results[name])} values of {name!r} for {rows} rows")
        settled[name], found = columns.settle(results[name], order.model.signature.output(name))
        bad += found
    if bad:
        raise faults.of_rows(bad, count=rows)
    return settled


def written(request: Request, outputs: Columns, *, order: Order) -> Scored:
    """The answer to a request whose outputs are known."""
    model = order.model
    body = wire.write(
        model=model.name, version=model.version, request=request, columns=outputs, signature=model.signature
    )
    return Scored(answer=body, rows=request.rows)
