"""Documents that others parsed (HTTP bodies, front ends): held to the same limits and to the values of JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scheduler.errors import TooLargeError
from scheduler.ir import events, limits, pointer, words
from scheduler.ir.composer import Budget
from scheduler.ir.source import Sourced
from scheduler.model.problem import Problem

_INT64 = 1 << 63


class _Part(NamedTuple):
    value: Any
    path: tuple[str | int, ...]


def problems(sourced: Sourced, *, budget: Budget) -> list[Problem]:
    """Everything in the document that is no JSON value; TooLargeError beyond the limits. Cycles end at the depth."""
    found: list[Problem] = []
    budget.begin("")
    nodes, characters = 1, 0
    budget.nodes -= 1
    stack = [_Part(sourced.document, ())]
    while stack:
        part = stack.pop()
        size = len(part.value) if isinstance(part.value, Mapping | list | tuple) else 0
        nodes += size
        budget.nodes -= size
        characters += len(part.value) if isinstance(part.value, str) else 0
        if nodes > limits.NODES or budget.nodes < 0 or characters > limits.BYTES or len(part.path) > limits.DEPTH:
            raise TooLargeError(f"{pointer.join(part.path[:8])[:200]}: {_limit(nodes, characters, budget)}")
        for message, path in _faults(part):
            if len(found) < limits.PROBLEMS:
                found.append(sourced.problem(message, pointer=pointer.join(path)))
        stack.extend(_below(part))
    return found


def _limit(nodes: int, characters: int, budget: Budget) -> str:
    if nodes > limits.NODES:
        return f"more than {limits.NODES:,} values in one document"
    if budget.nodes < 0:
        return f"more than {limits.TOTAL_NODES:,} values in all documents together"
    if characters > limits.BYTES:
        return f"more than {limits.BYTES // (1024 * 1024)} MiB of text"
    return f"more than {limits.DEPTH} mappings and lists inside each other"


def _below(part: _Part) -> Iterator[_Part]:
    if isinstance(part.value, Mapping):
        yield from (_Part(value, (*part.path, key)) for key, value in part.value.items() if isinstance(key, str))
    elif isinstance(part.value, list | tuple):
        yield from (_Part(value, (*part.path, index)) for index, value in enumerate(part.value))


def _faults(part: _Part) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    value = part.value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                yield f"a key is text: quote {words.shown(key)}", part.path
            elif len(key) > limits.KEY:
                raise TooLargeError(f"a key of more than {limits.KEY} characters")
            elif not events.is_unicode(key):
                yield events.NOT_UNICODE, part.path
        return
    message = _scalar_fault(value)
    if message:
        yield message, part.path


def _scalar_fault(value: object) -> str:
    match value:
        case None | bool() | list() | tuple():
            return ""
        case str():
            return "" if events.is_unicode(value) else events.NOT_UNICODE
        case int():
            return "" if -_INT64 <= value < _INT64 else events.TOO_BIG
        case float():
            return "" if math.isfinite(value) else events.NOT_FINITE
        case _:
            return f"a {type(value).__name__} is no JSON value"
