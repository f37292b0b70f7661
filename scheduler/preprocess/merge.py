"""Laying values over values, as Helm does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from scheduler.model.types import Values


def merge(base: Values, *over: Values) -> dict[str, Any]:
    """`base` with the others laid over it in order: maps are joined, anything else is replaced as a whole.

    >>> merge({"a": {"x": 1, "y": [1]}}, {"a": {"y": [2]}}, {"b": None})
    {'a': {'x': 1, 'y': [2]}, 'b': None}
    """
    return reduce(_laid, over, dict(base))


def _laid(base: Mapping[str, Any], over: Values) -> dict[str, Any]:
    merged = dict(base)
    for key, new in over.items():
        old = merged.get(key)
        merged[key] = _laid(old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else new
    return merged
