"""One inference, from the bytes that came to the bytes that go; runs in whatever thread it is called in."""

from __future__ import annotations

import numpy as np

from scheduler.serving import columns, faults, wire
from scheduler.serving.columns import Column, Columns
from scheduler.serving.config import ModelConfig
from scheduler.serving.faults import RequestRefusedError, RowFault
from scheduler.serving.runners.port import Runner
from scheduler.serving.wire import Answer, Request


def answer(body: bytes, *, header_length: int | None, model: ModelConfig, runner: Runner) -> tuple[Answer, int]:
    """The answer and the number of rows in it; RequestRefusedError when the request or single rows of it are bad."""
    request = wire.read(body, header_length=header_length, signature=model.signature)
    outputs = _scored(request, model, runner)
    written = wire.write(
        model=model.name, version=model.version, request=request, columns=outputs, signature=model.signature
    )
    return written, request.rows


def _scored(request: Request, model: ModelConfig, runner: Runner) -> Columns:
    names = list(dict.fromkeys(wanted.name for wanted in request.outputs))
    # a model's own divisions by zero are seen by its values, and reported row by row
    with np.errstate(all="ignore"):
        results = runner.predict(request.columns, outputs=names)
    settled: dict[str, Column] = {}
    bad: list[RowFault] = []
    for name in names:
        if len(results[name]) != request.rows:
            raise RequestRefusedError(
                f"the model gives {len(results[name])} values of {name!r} for {request.rows} rows"
            )
        settled[name], found = columns.settle(results[name], model.signature.output(name))
        bad += found
    if bad:
        raise faults.of_rows(bad, count=request.rows)
    return settled
