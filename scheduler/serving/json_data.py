"""Tensor data as JSON, nested or flat, checked element by element: nothing is rounded or taken for something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from math import isfinite, prod
from typing import Any, Final

import numpy as np

from scheduler.serving.columns import DTYPE, Array, Mask

_NUMBERS: Final[frozenset[type]] = frozenset({int, float})
_WHOLE: Final[frozenset[type]] = frozenset({int})
_EXACT: Final[Mapping[str, frozenset[type]]] = {
    "BOOL": frozenset({bool}),
    "BYTES": frozenset({str}),
    "FP16": _NUMBERS,
    "FP32": _NUMBERS,
    "FP64": _NUMBERS,
}
_FEW: Final = 16
"""So many numbers are looked at sooner one by one than by numpy."""
_PLACEHOLDER: Final = {"BOOL": False, "BYTES": ""}
_WORD: Final = {"BOOL": "true or false", "BYTES": "text"}


class BadElementsError(ValueError):
    """Single elements do not fit; `elements` are (flat position, message)."""

    def __init__(self, elements: list[tuple[int, str]]) -> None:
        self.elements = elements
        super().__init__(elements[0][1])


def decode(data: object, *, datatype: str, shape: Sequence[int], missing: Mask | None = None) -> Array:
    """The tensor that `data` writes down; ValueError when its shape is another, BadElementsError for single elements.

    What stands where `missing` is true (by row) is not looked at; JSON null is usual there and refused anywhere else.
    Whole numbers may be written with a point (`5.0`), as JSON does not tell them apart.
    """
    flat = _flat(data, shape)
    if missing is not None and missing.any():
        flat = _without(flat, missing, datatype)
    array = exact(flat, datatype)
    if array is not None:
        return array.reshape(shape)
    bad = [(place, fault) for place, value in enumerate(flat) if (fault := _fault(value, datatype))]
    if bad:
        raise BadElementsError(bad)
    return np.array([int(value) for value in flat], dtype=DTYPE[datatype]).reshape(shape)


def exact(flat: list[Any], datatype: str) -> Array | None:
    """The flat array when every element is written as its datatype wants it and within its range; None otherwise."""
    if not set(map(type, flat)) <= _EXACT.get(datatype, _WHOLE):
        return None
    return _array(flat, datatype)


def encode(array: Array, *, datatype: str) -> Any:
    """Flat data for orjson (with numpy serialisation)."""
    flat = array.ravel()
    return flat.tolist() if datatype == "BYTES" else np.ascontiguousarray(flat)


def _flat(data: object, shape: Sequence[int]) -> list[Any]:
    if not isinstance(data, list):
        raise ValueError("'data' must be a list")
    level: list[Any] = data
    if level and isinstance(level[0], list):
        if len(level) != shape[0]:
            raise ValueError(f"'data' has {len(level)} elements where the shape has {shape[0]}")
        for size in shape[1:]:
            if any(not isinstance(part, list) or len(part) != size for part in level):
                raise ValueError(f"nested 'data' is not of shape {list(shape)}")
            level = list(chain.from_iterable(level))
    if len(level) != prod(shape):
        raise ValueError(f"'data' has {len(level)} elements where the shape {list(shape)} has {prod(shape)}")
    return level


def _without(flat: list[Any], missing: Mask, datatype: str) -> list[Any]:
    blank = _PLACEHOLDER.get(datatype, 0)
    width = len(flat) // len(missing)
    return [blank if missing[place // width] else value for place, value in enumerate(flat)]


def _array(flat: list[Any], datatype: str) -> Array | None:
    """The flat array, or None when a number is out of range."""
    dtype = DTYPE[datatype]
    if datatype == "BYTES":
        array = np.empty(len(flat), dtype=object)
        array[:] = flat
        return array
    try:
        if datatype == "FP64" and len(flat) <= _FEW:
            return np.array(flat, dtype=dtype) if all(map(isfinite, flat)) else None
        with np.errstate(over="ignore"):
            numbers = np.array(flat, dtype=dtype)
    except OverflowError:
        return None
    return None if dtype.kind == "f" and not np.isfinite(numbers).all() else numbers


def _fault(value: object, datatype: str) -> str:
    """Why `value` is no element of `datatype`; empty when it is one."""
    if value is None:
        return "there is no value"
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:59] + "…"
    if type(value) in _EXACT.get(datatype, _NUMBERS):
        return _range_fault(value, datatype, shown) if isinstance(value, int | float) and datatype != "BOOL" else ""
    return f"{shown} is not {_WORD.get(datatype, 'a number')}"


def _range_fault(value: float, datatype: str, shown: str) -> str:
    dtype = DTYPE[datatype]
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return "" if isfinite(dtype.type(value)) else f"{shown} is out of the range of {datatype}"
    if value != int(value):
        return f"{shown} is not a whole number"
    limits = np.iinfo(dtype)
    return "" if limits.min <= int(value) <= limits.max else f"{shown} is out of the range of {datatype}"
