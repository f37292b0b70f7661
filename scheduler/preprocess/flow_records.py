"""Record schemas as the engine's first and last step: `decode` and `encode`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scheduler.model.pipeline import Field, RecordSchema

DECODE: Final = "decode"
ENCODE: Final = "encode"
"""Step names of what the schemas add to a flow; a step of a flow is `<flow>.<step>` and never one of these."""


def decode(schema: RecordSchema, *, format_: str) -> dict[str, Any]:
    """Text to record: an empty CSV cell is null where it may be; fields that the schema does not know are left out."""
    return {"modelops_decode": _by_schema(DECODE, schema, format_)}


def encode(schema: RecordSchema, *, format_: str) -> dict[str, Any]:
    """Record to text: the schema's fields in its order; numbers keep every digit that they have."""
    return {"modelops_encode": _by_schema(ENCODE, schema, format_)}


def fields(schema: RecordSchema) -> list[Mapping[str, Any]]:
    """The schema as the engine reads it."""
    return [_field(field) for field in schema.fields]


def _by_schema(step: str, schema: RecordSchema, format_: str) -> dict[str, Any]:
    return {"step": step, "on_error": "dead-letter", "format": format_, "fields": fields(schema)}


def _field(field: Field) -> Mapping[str, Any]:
    """Only what is not the default, so that a compiled flow can be read."""
    described: dict[str, Any] = {"name": field.name, "type": field.type.value}
    if field.nullable:
        described["nullable"] = True
    if field.required:
        described["required"] = True
    if field.items is not None:
        described["items"] = _field(field.items)
    if field.properties:
        described["properties"] = [_field(item) for item in field.properties]
    return described
