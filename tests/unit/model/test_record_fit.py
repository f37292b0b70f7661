"""Which records can be taken for which others."""

from __future__ import annotations

import pytest

from scheduler.model import record_fit
from scheduler.model.pipeline import Field, FieldType

D, S = FieldType.DOUBLE, FieldType.STRING


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("int32", "int64"),
        ("int32", "float"),
        ("int64", "double"),
        ("int64", "float"),
        ("float", "double"),
        ("double", "float"),
        ("date", "string"),
        ("date-time", "string"),
    ],
)
def test_a_value_fits_a_wider_type(given: str, wanted: str) -> None:
    assert record_fit.fits(FieldType(given), FieldType(wanted))


@pytest.mark.parametrize("kind", list(FieldType))
def test_a_value_fits_its_own_type(kind: FieldType) -> None:
    assert record_fit.fits(kind, kind)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("int64", "int32"),
        ("double", "int64"),
        ("boolean", "int32"),
        ("string", "date"),
        ("string", "double"),
        ("bytes", "string"),
        ("array", "object"),
    ],
)
def test_a_value_does_not_fit_another_type(given: str, wanted: str) -> None:
    assert not record_fit.fits(FieldType(given), FieldType(wanted))


def test_differences_go_down_into_objects_and_arrays() -> None:
    def nested(kind: FieldType, *, nullable: bool) -> Field:
        inner = Field(name="a", type=kind, nullable=nullable, required=True)
        item = Field(name="items", type=FieldType.OBJECT, properties=(inner,))
        return Field(name="list", type=FieldType.ARRAY, items=item)

    assert list(record_fit.differences([nested(S, nullable=False)], [nested(D, nullable=False)])) == [
        "'list[].a' is string, not double"
    ]
    assert list(record_fit.differences([nested(D, nullable=True)], [nested(D, nullable=False)])) == [
        "'list[].a' may be null"
    ]


def test_only_required_fields_are_missed_and_more_do_no_harm() -> None:
    optional = Field(name="b", type=S)

    assert not list(record_fit.differences([Field(name="c", type=S)], [optional]))
