"""The short way of reading a plain request gives what the long way gives, and takes nothing that that refuses."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import SchedulerError
from scheduler.model.tensors import Tensor
from scheduler.serving import wire
from scheduler.serving.signature import Signature

SIGNATURE = Signature(
    inputs=(
        Tensor(name="hour", datatype="FP64", nullable=True),
        Tensor(name="carrier", datatype="BYTES"),
        Tensor(name="stops", datatype="INT8"),
        Tensor(name="part", datatype="FP32"),
    ),
    outputs=(Tensor(name="probability", datatype="FP64"),),
    most_rows=3,
)
ELEMENTS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-200, 200),
    st.just(10**18),
    st.sampled_from([None, True, "UA", [1.0]]),
)
FITTING = {
    "FP64": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60),
    "FP32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "BYTES": st.text(max_size=3),
    "INT8": st.integers(-128, 127),
}
SHAPES = st.sampled_from([[1], [2], [3], [4], [0], [1.0], [True], [2, 1], []])


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly good ones of one to four rows; now and then something in them is off."""
    rows = draw(st.integers(0, 4))
    inputs: list[dict[str, Any]] = []
    for tensor in SIGNATURE.inputs:
        elements = FITTING[tensor.datatype] if draw(st.integers(0, 9)) else ELEMENTS
        item = {
            "name": tensor.name,
            "shape": [rows] if draw(st.integers(0, 9)) else draw(SHAPES),
            "datatype": tensor.datatype,
            "data": draw(st.lists(elements, min_size=rows, max_size=rows)),
        }
        if not draw(st.integers(0, 19)):
            item.pop(draw(st.sampled_from(sorted(item))))
        inputs.append(item)
    if not draw(st.integers(0, 9)):
        inputs = draw(st.permutations(inputs))
    return {"inputs": inputs}


def outcome(document: dict[str, Any]) -> object:
    """What is read, in comparable values; or the refusal with its rows."""
    text = orjson.dumps(document)
    try:
        request = wire.read(text, header_length=None, signature=SIGNATURE)
    except SchedulerError as error:
        return type(error), str(error), getattr(error, "rows", ())
    columns = {name: (str(column.values.dtype), column.values.tolist()) for name, column in request.columns.items()}
    return request.id, request.rows, columns, list(columns), request.outputs


@given(requests())
def test_both_ways_read_alike(document: dict[str, Any]) -> None:
    # an object of no parameters means nothing, and is only read by the long way
    long = {"inputs": [{**item, "parameters": {}} for item in document["inputs"]]}
    assert outcome(document) == outcome(long)


def test_the_short_way_is_taken_for_a_good_request() -> None:
    inputs = [
        {
            "name": tensor.name,
            "shape": [1],
            "datatype": tensor.datatype,
            "data": ["UA" if tensor.datatype == "BYTES" else 5],
        }
        for tensor in SIGNATURE.inputs
    ]
    found = outcome({"inputs": inputs})
    assert isinstance(found, tuple)
    assert found[1:] == (
        1,
        {"hour": ("float64", [5.0]), "carrier": ("object", ["UA"]), "stops": ("int8", [5]), "part": ("float32", [5.0])},
        ["hour", "carrier", "stops", "part"],
        SIGNATURE.every_output,
    )
