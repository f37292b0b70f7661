"""Record fields as tensors."""

from __future__ import annotations

from scheduler.model import tensors
from scheduler.model.pipeline import Field, FieldType, RecordSchema
from scheduler.model.tensors import Tensor


def test_every_field_type_has_a_datatype_of_the_protocol() -> None:
    assert set(tensors.DATATYPE) == set(FieldType)
    assert set(tensors.DATATYPE.values()) <= set(tensors.DATATYPES)


def test_a_schema_becomes_its_tensors_in_order() -> None:
    schema = RecordSchema(
        name="flight",
        fields=(
            Field(name="hour", type=FieldType.INT32, nullable=True),
            Field(name="carrier", type=FieldType.STRING),
        ),
    )
    assert tensors.of_schema(schema) == (
        Tensor(name="hour", datatype="INT32", nullable=True),
        Tensor(name="carrier", datatype="BYTES"),
    )
    assert [tensors.as_values(tensor) for tensor in tensors.of_schema(schema)] == [
        {"name": "hour", "datatype": "INT32", "nullable": True},
        {"name": "carrier", "datatype": "BYTES"},
    ]
    assert tensors.null_companion("hour") == "hour.null"
