"""Requests and answers as bytes, against the protocol's own examples and generated tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import TooLargeError
from scheduler.model.tensors import DATATYPES, Tensor
from scheduler.serving import binary, json_data, wire
from scheduler.serving.columns import DTYPE, Array, Column
from scheduler.serving.faults import RequestRefusedError
from scheduler.serving.signature import Signature, Wanted
from scheduler.serving.wire import Request

SIGNATURE = Signature(
    inputs=(Tensor(name="hour", datatype="FP64", nullable=True), Tensor(name="carrier", datatype="BYTES")),
    outputs=(Tensor(name="probability", datatype="FP64"), Tensor(name="label", datatype="BYTES", nullable=True)),
    most_rows=4,
)


def body(**changes: Any) -> bytes:
    """A good request of two rows, with changes; None takes a key away."""
    document = {
        "id": "42",
        "inputs": [
            {"name": "hour", "shape": [2], "datatype": "FP64", "data": [5.25, 6]},
            {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["UA", "B6"]},
        ],
        **changes,
    }
    return orjson.dumps({key: value for key, value in document.items() if value is not None})


def hour(**changes: Any) -> bytes:
    """A good request but for changes in its first tensor."""
    first = {"name": "hour", "shape": [2], "datatype": "FP64", "data": [5.25, 6], **changes}
    second = {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["UA", "B6"]}
    return body(inputs=[{key: value for key, value in first.items() if value is not None}, second])


def read(data: bytes, header_length: int | None = None) -> Request:
    return wire.read(data, header_length=header_length, signature=SIGNATURE)


def test_a_request_becomes_columns_in_the_models_order() -> None:
    request = read(body())

    assert (request.id, request.rows, list(request.columns)) == ("42", 2, ["hour", "carrier"])
    assert request.columns["hour"].values.tolist() == [5.25, 6.0]
    assert request.columns["carrier"].values.tolist() == ["UA", "B6"]
    assert [wanted.name for wanted in request.outputs] == ["probability", "label"]


def test_a_request_may_come_without_id_and_ask_for_one_output() -> None:
    request = read(body(id=None, outputs=[{"name": "label"}]))

    assert request.id is None
    assert request.outputs == (Wanted(name="label"),)


@pytest.mark.parametrize("data", [[[1, 2], [4, 5]], [1, 2, 4, 5]], ids=["nested", "flat"])
def test_nested_and_flat_data_are_the_same_tensor(data: list[Any]) -> None:
    """The two writings that the protocol's text shows for [[1, 2], [4, 5]]."""
    assert json_data.decode(data, datatype="INT32", shape=[2, 2]).tolist() == [[1, 2], [4, 5]]


def test_binary_tensors_follow_the_json_in_their_order() -> None:
    """Layout of the extension's example: a BOOL is one byte, an element of BYTES has its length first."""
    header = orjson.dumps(
        {
            "inputs": [
                {"name": "carrier", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 12}},
                {"name": "hour", "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": 16}},
            ]
        }
    )
    texts = b"\x02\x00\x00\x00UA\x02\x00\x00\x00B6"
    request = read(header + texts + np.array([5.25, 6.0], "<f8").tobytes(), len(header))

    assert request.columns["carrier"].values.tolist() == ["UA", "B6"]
    assert request.columns["hour"].values.tolist() == [5.25, 6.0]
    flags = binary.decode(memoryview(b"\x01\x00\x00\x01"), datatype="BOOL", shape=[2, 2])
    assert flags.tolist() == [[True, False], [False, True]]


def test_a_companion_says_what_is_missing_and_its_place_is_not_looked_at() -> None:
    inputs = orjson.loads(hour(data=[None, 0]))["inputs"]
    companion = {"name": "hour.null", "shape": [2], "datatype": "BOOL", "data": [True, False]}
    request = read(body(inputs=[*inputs, companion]))

    missing = request.columns["hour"].missing
    assert missing is not None
    assert missing.tolist() == [True, False]
    assert request.columns["hour"].values[1] == 0.0


REFUSALS = {
    "not JSON": (b"{", "the request is not JSON"),
    "NaN is not JSON": (b'{"inputs": [NaN]}', "the request is not JSON"),
    "a list": (b"[]", "must be a JSON object"),
    "id": (body(id=7), "'id' must be a string"),
    "no inputs": (body(inputs=[]), "at least one tensor"),
    "no name": (body(inputs=[{}]), r"inputs\[0\] must be an object with 'name'"),
    "twice": (body(inputs=[orjson.loads(hour())["inputs"][0]] * 2), "input 'hour' is given twice"),
    "unknown": (hour(name="huor"), r"no input 'huor'; input 'hour' is missing \(the model takes hour FP64, carrier"),
    "datatype": (hour(datatype="FP8"), "input 'hour': datatype 'FP8' is not one of BOOL"),
    "datatype list": (hour(datatype=["FP64"]), "input 'hour': datatype"),
    "other datatype": (hour(datatype="INT64", data=[5, 6]), "input 'hour' is FP64, not INT64"),
    "shape": (hour(shape=[-1]), r"input 'hour': shape \[-1\] is not a list of whole numbers"),
    "wide": (hour(shape=[2, 2], data=[1, 2, 3, 4]), r"input 'hour': shape \[2, 2\] where \[2\] is expected"),
    "short": (hour(data=[5.25]), r"input 'hour': 'data' has 1 elements where the shape \[2\] has 2"),
    "ragged": (hour(shape=[2, 1], data=[[1], [2, 3]]), r"input 'hour': nested 'data' is not of shape \[2, 1\]"),
    "no data": (hour(data=None), "input 'hour' has neither 'data' nor"),
    "data twice": (hour(parameters={"binary_data_size": 16}), "input 'hour' has both 'data' and"),
    "bytes short": (hour(data=None, parameters={"binary_data_size": 16}), "binary_data_size is 16, 0 bytes are left"),
    "no rows": (
        body(
            inputs=[
                {"name": "hour", "shape": [0], "datatype": "FP64", "data": []},
                {"name": "carrier", "shape": [0], "datatype": "BYTES", "data": []},
            ]
        ),
        "the request has no rows",
    ),
    "output": (body(outputs=[{"name": "p"}]), r"no output 'p' \(it has probability, label\)"),
    "companion": (
        body(
            inputs=[
                *orjson.loads(body())["inputs"],
                {"name": "hour.null", "shape": [2], "datatype": "FP64", "data": [0, 0]},
            ]
        ),
        "input 'hour.null' is BOOL, not FP64",
    ),
}


@pytest.mark.parametrize(("data", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_names_the_tensor_and_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(RequestRefusedError, match=message) as caught:
        read(data)
    assert caught.value.rows == ()


def test_bytes_after_the_last_tensor_are_refused() -> None:
    data = body()
    with pytest.raises(RequestRefusedError, match="3 bytes follow the last binary tensor"):
        read(data + b"xyz", len(data))


def test_too_many_rows_are_too_much() -> None:
    data = orjson.loads(hour(shape=[5], data=[1] * 5))
    data["inputs"][1] |= {"shape": [5], "data": ["x"] * 5}
    with pytest.raises(TooLargeError, match="5 rows in one request; at most 4"):
        read(orjson.dumps(data))


def test_single_bad_values_are_faults_of_their_rows_all_at_once() -> None:
    inputs = orjson.loads(body())["inputs"]
    inputs[0]["data"] = [None, "6"]
    inputs[1]["data"] = ["UA", 6]
    with pytest.raises(RequestRefusedError, match="2 of 2 rows cannot be scored") as caught:
        read(body(inputs=inputs))

    assert [(row.index, row.message) for row in caught.value.rows] == [
        (0, "input 'hour': there is no value"),
        (1, "input 'hour': '6' is not a number; input 'carrier': 6 is not text"),
    ]


@pytest.mark.parametrize(
    ("datatype", "value", "message"),
    [
        ("BOOL", 1, "1 is not true or false"),
        ("INT8", 128, "128 is out of the range of INT8"),
        ("INT8", True, "True is not a number"),
        ("UINT16", -1, "-1 is out of the range"),
        ("INT64", 2**63, "out of the range of INT64"),
        ("INT32", 1.5, "1.5 is not a whole number"),
        ("FP16", 70000, "70000 is out of the range of FP16"),
        ("FP32", 1e39, "out of the range of FP32"),
        ("FP64", "1", "'1' is not a number"),
        ("BYTES", None, "there is no value"),
    ],
)
def test_an_element_that_does_not_fit_is_never_bent(datatype: str, value: object, message: str) -> None:
    with pytest.raises(json_data.BadElementsError, match=message) as caught:
        json_data.decode([value], datatype=datatype, shape=[1])
    assert caught.value.elements[0][0] == 0


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert json_data.decode([5.0, 7], datatype="INT32", shape=[2]).tolist() == [5, 7]


BAD_BYTES = {
    "size": ("FP32", b"\0" * 5, "there are 5 bytes, 1 elements of FP32 take 4"),
    "count": ("BYTES", b"\0\0\0\0" * 2, "the bytes hold 2 elements, the shape has 1"),
    "length": ("BYTES", b"\0\0", "end within the length of the element at byte 0"),
    "cut": ("BYTES", b"\x05\0\0\0ab", "an element of 5 bytes begins at byte 4 of 6"),
    "text": ("BYTES", b"\x01\0\0\0\xff", "the element at byte 4 is not UTF-8 text"),
    "bool": ("BOOL", b"\x02", "a BOOL is 0 or 1, byte 0 is 2"),
}


@pytest.mark.parametrize(("datatype", "data", "message"), BAD_BYTES.values(), ids=BAD_BYTES)
def test_bytes_that_are_no_tensor_are_refused(datatype: str, data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        binary.decode(memoryview(data), datatype=datatype, shape=[1])


ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "BOOL": st.booleans(),
    "BYTES": st.text(),
    **{f"FP{bits}": st.floats(width=bits, allow_nan=False, allow_infinity=False) for bits in (16, 32, 64)},
    **{
        datatype: st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        for datatype, dtype in DTYPE.items()
        if dtype.kind in "iu"
    },
}


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, Array]:
    datatype = draw(st.sampled_from(DATATYPES))
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    count = int(np.prod(shape))
    flat = np.empty(count, dtype=DTYPE[datatype])
    flat[:] = draw(st.lists(ELEMENTS[datatype], min_size=count, max_size=count))
    return datatype, flat.reshape(shape)


@given(arrays())
def test_every_tensor_survives_the_binary_form(case: tuple[str, Array]) -> None:
    datatype, array = case
    back = binary.decode(memoryview(binary.encode(array, datatype=datatype)), datatype=datatype, shape=array.shape)
    assert back.dtype == array.dtype
    assert back.tolist() == array.tolist()


@given(arrays(), st.booleans())
def test_every_tensor_survives_the_json_form(case: tuple[str, Array], nested: bool) -> None:
    datatype, array = case
    content = array.tolist() if nested else json_data.encode(array, datatype=datatype)
    data = orjson.loads(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY))
    back = json_data.decode(data, datatype=datatype, shape=array.shape)
    assert back.dtype == array.dtype
    assert back.tolist() == array.tolist()


def answer(*outputs: Wanted) -> wire.Answer:
    return wire.write(
        model="delay",
        version="1",
        request=Request(id="42", rows=2, columns={}, outputs=outputs),
        columns={
            "probability": Column(values=np.array([0.25, 1e-300])),
            "label": Column(values=np.array(["late", ""], dtype=object), missing=np.array([False, True])),
        },
        signature=SIGNATURE,
    )


def test_an_answer_is_what_the_protocol_says() -> None:
    written = answer(Wanted(name="label"), Wanted(name="probability"))

    assert written.header_length is None
    assert orjson.loads(written.body) == {
        "model_name": "delay",
        "model_version": "1",
        "id": "42",
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["late", ""]},
            {"name": "label.null", "datatype": "BOOL", "shape": [2], "data": [False, True]},
            {"name": "probability", "datatype": "FP64", "shape": [2], "data": [0.25, 1e-300]},
        ],
    }


def test_single_outputs_may_be_asked_for_in_binary() -> None:
    written = answer(Wanted(name="label"), Wanted(name="probability", binary=True))

    assert written.header_length is not None
    header = orjson.loads(written.body[: written.header_length])
    assert header["outputs"][2]["parameters"] == {"binary_data_size": 16}
    assert "data" not in header["outputs"][2]
    assert np.frombuffer(written.body[written.header_length :], "<f8").tolist() == [0.25, 1e-300]


def test_binary_may_be_asked_for_all_outputs_but_one() -> None:
    changes = {"parameters": {"binary_data_output": True}}
    asked = [{"name": "label", "parameters": {"binary_data": False}}, {"name": "probability"}]

    assert [wanted.binary for wanted in read(body(**changes)).outputs] == [True, True]
    assert [wanted.binary for wanted in read(body(**changes, outputs=asked)).outputs] == [False, True]
