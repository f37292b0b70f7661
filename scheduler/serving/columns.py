"""Records inside a scoring server: one numpy array a field, and where its values are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from scheduler.model.tensors import Tensor
from scheduler.serving import faults
from scheduler.serving.faults import RowFault

Array: TypeAlias = npt.NDArray[Any]
Mask: TypeAlias = npt.NDArray[np.bool_]

DTYPE: Final[Mapping[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),
}
"""BYTES columns are object arrays of `str`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The values of one field; what stands where `missing` is true means nothing."""

    values: Array
    missing: Mask | None = None


Columns: TypeAlias = Mapping[str, Column]


def matrix(columns: Columns, names: Sequence[str]) -> Array:
    """Rows by fields in the order of `names`, as models take them.

    Only numbers and booleans: float64, NaN where a value is missing. With text among them: objects (`str`, `bool`,
    `int`, `float`), None where a value is missing.
    """
    if any(columns[name].values.dtype == object for name in names):
        return np.column_stack([_objects(columns[name]) for name in names])
    return _numbers(columns, names)


def settle(raw: Array, tensor: Tensor) -> tuple[Column, list[RowFault]]:
    """A model's output as the declared datatype, and the rows for which it gave nothing that fits.

    None, NaN and infinities are no values (JSON has none of them): missing when the output is nullable, else the row's
    fault. A model never answers with a made-up number.
    """
    dtype = DTYPE[tensor.datatype]
    if (dtype.kind != "f" and raw.dtype != dtype) or raw.dtype.kind not in "biuf":
        return _settled_objects(raw, tensor)
    if raw.dtype == dtype:
        values = raw
    else:
        with np.errstate(over="ignore"):
            values = raw.astype(dtype)
    if values.dtype.kind != "f":
        return Column(values=values), []
    present = np.isfinite(values)
    if present.all():
        return Column(values=values), []
    return _with_absent(values.copy(), ~present, tensor)


def _numbers(columns: Columns, names: Sequence[str]) -> Array:
    rows = len(columns[names[0]].values)
    stacked = np.empty((rows, len(names)), dtype=np.float64)
    for place, name in enumerate(names):
        column = columns[name]
        stacked[:, place] = column.values
        if column.missing is not None:
            stacked[column.missing, place] = np.nan
    return stacked


def _objects(column: Column) -> Array:
    values = column.values.astype(object)
    if column.missing is not None:
        values[column.missing] = None
    return values


def _settled_objects(raw: Array, tensor: Tensor) -> tuple[Column, list[RowFault]]:
    dtype = DTYPE[tensor.datatype]
    values = np.full(len(raw), "" if tensor.datatype == "BYTES" else 0, dtype=dtype)
    absent = np.zeros(len(raw), dtype=np.bool_)
    wrong: list[RowFault] = []
    for index, value in enumerate(raw.tolist()):
        try:
            settled = _settled_value(value, tensor.datatype)
            if settled is None:
                absent[index] = True
            else:
                values[index] = settled
        except (ValueError, TypeError, OverflowError):
            wrong.append(RowFault(index=index, message=faults.shortened(_misfit(value, tensor))))
    if not absent.any():
        return Column(values=values), wrong
    column, unwanted = _with_absent(values, absent, tensor)
    return column, wrong + unwanted


def _settled_value(value: object, datatype: str) -> object:
    """`value` as the datatype has it; None when there is none; ValueError when it does not fit."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if datatype == "BYTES":
        return value.decode() if isinstance(value, bytes) else str(value)
    if datatype == "BOOL":
        return _truth(value)
    number = float(value) if datatype.startswith("FP") else _whole(value)  # type: ignore[arg-type]
    return DTYPE[datatype].type(number)


def _truth(value: object) -> bool:
    if value in (True, False):
        return bool(value)
    raise ValueError(value)


def _whole(value: object) -> int:
    number = int(value)  # type: ignore[call-overload]
    if isinstance(value, float) and number != value:
        raise ValueError(value)
    return int(number)


def _misfit(value: object, tensor: Tensor) -> str:
    return f"the model's {tensor.name!r} is {value!r}, which is not {tensor.datatype}"


def _with_absent(values: Array, absent: Mask, tensor: Tensor) -> tuple[Column, list[RowFault]]:
    values[absent] = "" if values.dtype == object else 0
    if tensor.nullable:
        return Column(values=values, missing=absent), []
    message = f"the model gives no {tensor.name!r} for it (a value that is missing, unknown or out of range?)"
    return Column(values=values), [RowFault(index=int(index), message=message) for index in np.flatnonzero(absent)]
