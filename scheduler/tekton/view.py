"""Reading objects that others wrote: a path gives what is there, or an empty value of the right type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: object, *path: str) -> Mapping[str, Any]:
    found = _at(value, path)
    return found if isinstance(found, Mapping) else {}


def items(value: object, *path: str) -> tuple[Mapping[str, Any], ...]:
    """The objects of a list; anything in it that is none is left out."""
    found = _at(value, path)
    return tuple(item for item in found if isinstance(item, Mapping)) if isinstance(found, list | tuple) else ()


def text(value: object, *path: str) -> str:
    """
    >>> text({"a": {"b": "c"}}, "a", "b"), text({"a": 1}, "a", "b")
    ('c', '')
    """
    found = _at(value, path)
    return found if isinstance(found, str) else ""


def _at(value: object, path: tuple[str, ...]) -> object:
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
