"""From columns to a model's matrix, and from what a model gives to what was declared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scheduler.model.tensors import Tensor
from scheduler.serving import columns
from scheduler.serving.columns import Column


def test_numbers_and_booleans_become_a_float_matrix_with_nan_for_missing() -> None:
    matrix = columns.matrix(
        {
            "late": Column(values=np.array([True, False])),
            "hour": Column(values=np.array([5, 0], dtype=np.int32), missing=np.array([False, True])),
        },
        ["hour", "late"],
    )
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, [[5.0, 1.0], [np.nan, 0.0]])


def test_text_makes_a_matrix_of_objects_with_none_for_missing() -> None:
    matrix = columns.matrix(
        {
            "carrier": Column(values=np.array(["UA", ""], dtype=object), missing=np.array([False, True])),
            "hour": Column(values=np.array([5.5, 6.0])),
        },
        ["carrier", "hour"],
    )
    assert matrix.tolist() == [["UA", 5.5], [None, 6.0]]


@pytest.mark.parametrize(
    ("raw", "datatype", "expected"),
    [
        (np.array([0.5, 1.0]), "FP64", [0.5, 1.0]),
        (np.array([1, 2]), "FP64", [1.0, 2.0]),
        (np.array([1.0, 2.0]), "INT32", [1, 2]),
        (np.array([1, 0]), "BOOL", [True, False]),
        (np.array([1, 2]), "BYTES", ["1", "2"]),
        (np.array(["late", "early"]), "BYTES", ["late", "early"]),
        (np.array([b"late"], dtype=object), "BYTES", ["late"]),
        (np.array([True, False]), "INT64", [1, 0]),
        (np.array([1.0, None], dtype=object)[:1], "FP32", [1.0]),
    ],
)
def test_a_models_values_become_the_declared_datatype(raw: Any, datatype: str, expected: list[object]) -> None:
    column, faults = columns.settle(raw, Tensor(name="score", datatype=datatype))
    assert faults == []
    assert column.missing is None
    assert column.values.dtype == columns.DTYPE[datatype]
    assert column.values.tolist() == expected


@pytest.mark.parametrize(
    ("raw", "datatype", "message"),
    [
        (np.array([1.0, 1.5]), "INT32", "the model's 'score' is 1.5, which is not INT32"),
        (np.array([1, 300]), "INT8", "300, which is not INT8"),
        (np.array([1, 2]), "BOOL", "2, which is not BOOL"),
        (np.array(["1", "x"]), "FP64", "'x', which is not FP64"),
        (np.array([1.0, np.nan]), "FP64", "the model gives no 'score' for it"),
        (np.array([1.0, 1e300]), "FP32", "the model gives no 'score' for it"),
        (np.array([1.0, np.inf]), "INT32", "the model gives no 'score' for it"),
        (np.array(["a", None], dtype=object), "BYTES", "the model gives no 'score' for it"),
    ],
)
def test_a_value_that_does_not_fit_is_its_rows_fault(raw: Any, datatype: str, message: str) -> None:
    _, faults = columns.settle(raw, Tensor(name="score", datatype=datatype))
    assert [fault.index for fault in faults] == [1]
    assert message in faults[0].message


@pytest.mark.parametrize("raw", [np.array([1.0, np.nan]), np.array([1.0, None], dtype=object)])
def test_a_nullable_output_may_have_no_value(raw: Any) -> None:
    column, faults = columns.settle(raw, Tensor(name="score", datatype="FP64", nullable=True))
    assert faults == []
    assert column.missing is not None
    assert (column.values.tolist(), column.missing.tolist()) == ([1.0, 0.0], [False, True])
