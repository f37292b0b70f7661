"""Several requests in one call of their model, each answered to the last bit as if it had come alone.

Most of what a small call costs is not its rows: scikit-learn looks at one row for as long as at thirty. Only models
whose runner says `rows_alone` are asked like this. A call that fails for whatever reason is made again for each request
by itself, so that no request hears of another one's fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from scheduler.serving import inference
from scheduler.serving.columns import Column, Columns, Mask
from scheduler.serving.inference import Order, Scored
from scheduler.serving.wire import Request

MOST: Final = 32
"""Requests in one call."""

Outcome: TypeAlias = Scored | Exception
"""What `inference.answer` returns or raises."""


def answers(orders: Sequence[Order]) -> list[Outcome]:
    """One outcome an order, in their order; orders of one runner that ask for the same outputs share its call."""
    if len(orders) == 1:
        return [_alone(orders[0])]
    outcomes: dict[int, Outcome] = {}
    groups: dict[tuple[int, tuple[str, ...]], list[tuple[int, Request]]] = {}
    for place, order in enumerate(orders):
        try:
            request = inference.read(order)
        except Exception as fault:  # noqa: BLE001 - every fault gets its answer
            outcomes[place] = fault
        else:
            groups.setdefault((id(order.runner), inference.names(request)), []).append((place, request))
    for (_, names), group in groups.items():
        requests = [request for _, request in group]
        asked = [orders[place] for place, _ in group]
        found = _shared(requests, names, asked) or [_alone(order) for order in asked]
        outcomes.update(zip((place for place, _ in group), found, strict=True))
    return [outcomes[place] for place in range(len(orders))]


def _alone(order: Order) -> Outcome:
    try:
        return inference.answer(order)
    except Exception as fault:  # noqa: BLE001 - every fault gets its answer
        return fault


def _shared(requests: Sequence[Request], names: tuple[str, ...], orders: Sequence[Order]) -> list[Outcome]:
    """The answers of one call for all requests; empty when it fails, whatever the reason."""
    rows = sum(request.rows for request in requests)
    if rows > orders[0].model.signature.most_rows:
        return []
    try:
        outputs = inference.scored(_joined(requests), rows=rows, names=names, order=orders[0])
    except Exception:  # noqa: BLE001 - who is at fault is found by asking each one alone
        return []
    ends = np.cumsum([0, *(request.rows for request in requests)]).tolist()
    return [
        inference.written(request, _part(outputs, start, end), order=order)
        for request, order, (start, end) in zip(requests, orders, pairwise(ends), strict=True)
    ]


def _joined(requests: Sequence[Request]) -> Columns:
    """The rows of all requests, one after the other."""
    joined: dict[str, Column] = {}
    for name in requests[0].columns:
        parts = [request.columns[name] for request in requests]
        values = np.concatenate([part.values for part in parts])
        joined[name] = Column(values=values, missing=_joined_missing(parts))
    return joined


def _joined_missing(parts: Sequence[Column]) -> Mask | None:
    if all(part.missing is None for part in parts):
        return None
    masks = [np.zeros(len(part.values), np.bool_) if part.missing is None else part.missing for part in parts]
    return np.concatenate(masks)


def _part(outputs: Columns, start: int, end: int) -> Columns:
    """The rows of one request; a mask in which nothing is missing is none, as a request alone would have it."""
    part: dict[str, Column] = {}
    for name, column in outputs.items():
        missing = None if column.missing is None else column.missing[start:end]
        part[name] = Column(
            values=column.values[start:end], missing=missing if missing is not None and missing.any() else None
        )
    return part
