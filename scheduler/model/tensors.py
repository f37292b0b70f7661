"""Record fields as Open Inference Protocol V2 tensors: one tensor a field, shape `[n]`, named like the field.

The protocol has no null. A field that may be null has a companion BOOL tensor `<field>.null`, true where the value is
missing; the value at that place in the field's own tensor then means nothing. Servers declare this as the extension
`modelops_nulls`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scheduler.model.pipeline import Field, FieldType, RecordSchema

DATATYPE: Final[Mapping[FieldType, str]] = {
    FieldType.BOOLEAN: "BOOL",
    FieldType.INT32: "INT32",
    FieldType.INT64: "INT64",
    FieldType.FLOAT: "FP32",
    FieldType.DOUBLE: "FP64",
    FieldType.STRING: "BYTES",
    FieldType.BYTES: "BYTES",
    FieldType.DATE: "BYTES",
    FieldType.DATE_TIME: "BYTES",
    FieldType.ARRAY: "BYTES",
    FieldType.OBJECT: "BYTES",
}
"""BYTES elements are text: `bytes` fields in base64, dates as RFC 3339 writes them, arrays and objects as JSON."""

DATATYPES: Final = (
    *("BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"),
    *("FP16", "FP32", "FP64", "BYTES"),
)
"""All that the protocol knows and the servers take; BF16 is an extension of others."""

NULLS: Final = "modelops_nulls"
"""Extension: companion BOOL tensors say which values are missing."""
ROWS: Final = "modelops_rows"
"""Extension: an error of single rows carries `rows: [{index, message}]` beside `error`."""

_NULL_SUFFIX: Final = ".null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One field of a model's input or output as metadata describes it."""

    name: str
    datatype: str
    nullable: bool = False
    """Whether the companion `<name>.null` may come (input) or go (output)."""


def of_field(field: Field) -> Tensor:
    return Tensor(name=field.name, datatype=DATATYPE[field.type], nullable=field.nullable)


def of_schema(schema: RecordSchema) -> tuple[Tensor, ...]:
    """The schema's fields in their order, which is the order of a model's columns."""
    return tuple(of_field(field) for field in schema.fields)


def null_companion(name: str) -> str:
    """Name of the BOOL tensor that says where `name` has no value.

    >>> null_companion("dep_delay")
    'dep_delay.null'
    """
    return name + _NULL_SUFFIX


def as_values(tensor: Tensor) -> Mapping[str, object]:
    """How a tensor stands in Values and in a scoring server's `models.json`; `nullable` only where it is true.

    >>> as_values(Tensor(name="hour", datatype="FP64"))
    {'name': 'hour', 'datatype': 'FP64'}
    """
    plain: dict[str, object] = {"name": tensor.name, "datatype": tensor.datatype}
    return {**plain, "nullable": True} if tensor.nullable else plain
