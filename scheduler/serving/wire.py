"""Inference requests and answers of the Open Inference Protocol V2 as bytes, and back; pure.

Source: open-inference-protocol, `specification/protocol/inference_rest.md`; Triton, `extension_binary_data.md`. Ours
are the companions for missing values (`modelops_nulls`): see `scheduler.model.tensors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import orjson

from scheduler.errors import TooLargeError
from scheduler.model import tensors
from scheduler.serving import binary, faults, json_data
from scheduler.serving.columns import DTYPE, Array, Column, Columns, Mask
from scheduler.serving.faults import RequestRefusedError, RowFault
from scheduler.serving.signature import Signature, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    id: str | None
    rows: int
    columns: Columns
    """Every input of the model, in the model's order."""
    outputs: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    body: bytes
    header_length: int | None = None
    """Bytes of JSON before the first binary tensor; None when all is JSON."""


def read(body: bytes, *, header_length: int | None, signature: Signature) -> Request:
    """The request in `body`, every fault of which is named; single bad rows are named as rows."""
    document = _document(body if header_length is None else body[:header_length])
    if header_length is None and (plain := _plain(document, signature)) is not None:
        rows = len(plain[signature.inputs[0].name].values)
        return Request(id=_id(document), rows=rows, columns=plain, outputs=_wanted(document, signature))
    tail = memoryview(body)[len(body) if header_length is None else header_length :]
    given = _inputs(document, tail)
    _check_names(given, signature)
    rows = _rows(given, signature)
    columns, bad = _columns(given, signature)
    if bad:
        raise faults.of_rows(bad, count=rows)
    return Request(id=_id(document), rows=rows, columns=columns, outputs=_wanted(document, signature))


def _plain(document: Mapping[str, Any], signature: Signature) -> Columns | None:
    """The columns of the request that clients usually send: just the model's inputs, in its order, and well written.

    None for any other, good or bad: that one is read with every check and with words for what is wrong. A single row
    takes half the time this way.
    """
    listed = document.get("inputs")
    if type(listed) is not list or len(listed) != len(signature.inputs):
        return None
    columns: dict[str, Column] = {}
    rows = 0
    for tensor, item in zip(signature.inputs, listed, strict=True):
        if type(item) is not dict or (item.get("name"), item.get("datatype")) != (tensor.name, tensor.datatype):
            return None
        data, shape = item.get("data"), item.get("shape")
        if type(data) is not list or type(shape) is not list or "parameters" in item:
            return None
        rows = rows or len(data)
        if len(data) != rows or shape != [rows] or type(shape[0]) is not int:
            return None
        values = json_data.exact(data, tensor.datatype)
        if values is None:
            return None
        columns[tensor.name] = Column(values=values)
    return columns if 0 < rows <= signature.most_rows else None


def write(*, model: str, version: str, request: Request, columns: Columns, signature: Signature) -> Answer:
    """The answer with the outputs that were asked for, each followed by its companion when values are missing."""
    outputs: list[Mapping[str, Any]] = []
    tail: list[bytes] = []
    for wanted in request.outputs:
        column = columns[wanted.name]
        parts = [(wanted.name, signature.output(wanted.name).datatype, column.values)]
        if column.missing is not None:
            parts.append((tensors.null_companion(wanted.name), "BOOL", column.missing))
        for name, datatype, array in parts:
            outputs.append(_written(name, datatype, array, tail if wanted.binary else None))
    identity = {} if request.id is None else {"id": request.id}
    document = {"model_name": model, "model_version": version, **identity, "outputs": outputs}
    header = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return Answer(body=b"".join([header, *tail]), header_length=len(header)) if tail else Answer(body=header)


def _written(name: str, datatype: str, array: Array, tail: list[bytes] | None) -> Mapping[str, Any]:
    head = {"name": name, "datatype": datatype, "shape": list(array.shape)}
    if tail is None:
        return {**head, "data": json_data.encode(array, datatype=datatype)}
    tail.append(binary.encode(array, datatype=datatype))
    return {**head, "parameters": {"binary_data_size": len(tail[-1])}}


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RequestRefusedError(f"the request is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RequestRefusedError("the request must be a JSON object with 'inputs'")
    return document


def _id(document: Mapping[str, Any]) -> str | None:
    identity = document.get("id")
    if identity is not None and not isinstance(identity, str):
        raise RequestRefusedError("'id' must be a string")
    return identity


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One input as it came: JSON `data`, or the bytes that belong to it."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: object = None
    raw: memoryview | None = None

    def array(self, missing: Mask | None) -> Array:
        if self.raw is not None:
            return binary.decode(self.raw, datatype=self.datatype, shape=self.shape)
        return json_data.decode(self.data, datatype=self.datatype, shape=self.shape, missing=missing)


def _inputs(document: Mapping[str, Any], tail: memoryview) -> Mapping[str, _Given]:
    listed = document.get("inputs")
    if not isinstance(listed, list) or not listed:
        raise RequestRefusedError("'inputs' must be a list of at least one tensor")
    given: dict[str, _Given] = {}
    position = 0
    for place, item in enumerate(listed):
        tensor, taken = _input(item, place, tail[position:])
        if tensor.name in given:
            raise RequestRefusedError(f"input {tensor.name!r} is given twice")
        given[tensor.name] = tensor
        position += taken
    if position != len(tail):
        raise RequestRefusedError(f"{len(tail) - position} bytes follow the last binary tensor")
    return given


def _input(item: object, place: int, tail: memoryview) -> tuple[_Given, int]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise RequestRefusedError(f"inputs[{place}] must be an object with 'name', 'shape', 'datatype' and 'data'")
    name, datatype, shape = item["name"], item.get("datatype"), item.get("shape")
    if not isinstance(datatype, str) or datatype not in DTYPE:
        raise RequestRefusedError(f"input {name!r}: datatype {datatype!r} is not one of {', '.join(DTYPE)}")
    if not isinstance(shape, list) or not shape or any(type(size) is not int or size < 0 for size in shape):
        raise RequestRefusedError(f"input {name!r}: shape {shape!r} is not a list of whole numbers from 0")
    size = _parameters(item, f"input {name!r}").get("binary_data_size")
    if size is None:
        if "data" not in item:
            raise RequestRefusedError(f"input {name!r} has neither 'data' nor the parameter 'binary_data_size'")
        return _Given(name=name, datatype=datatype, shape=tuple(shape), data=item["data"]), 0
    if "data" in item:
        raise RequestRefusedError(f"input {name!r} has both 'data' and the parameter 'binary_data_size'")
    if type(size) is not int or not 0 <= size <= len(tail):
        raise RequestRefusedError(f"input {name!r}: binary_data_size is {size!r}, {len(tail)} bytes are left")
    return _Given(name=name, datatype=datatype, shape=tuple(shape), raw=tail[:size]), size


def _parameters(item: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    parameters = item.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestRefusedError(f"{where}: 'parameters' must be an object")
    return parameters


def _check_names(given: Mapping[str, _Given], signature: Signature) -> None:
    names = [tensor.name for tensor in signature.inputs]
    known = {*names, *map(tensors.null_companion, names)}
    problems = [f"the model has no input {name!r}" for name in given if name not in known]
    problems += [f"input {name!r} is missing" for name in names if name not in given]
    problems += [
        f"input {tensor.name!r} is {tensor.datatype}, not {given[tensor.name].datatype}"
        for tensor in signature.inputs
        if tensor.name in given and given[tensor.name].datatype != tensor.datatype
    ]
    companions = [given[name] for name in map(tensors.null_companion, names) if name in given]
    problems += [f"input {item.name!r} is BOOL, not {item.datatype}" for item in companions if item.datatype != "BOOL"]
    if problems:
        takes = ", ".join(f"{tensor.name} {tensor.datatype}" for tensor in signature.inputs)
        raise RequestRefusedError("; ".join(problems) + f" (the model takes {takes})")


def _rows(given: Mapping[str, _Given], signature: Signature) -> int:
    rows = given[signature.inputs[0].name].shape[0]
    for item in given.values():
        if item.shape[0] != rows or prod(item.shape[1:]) != 1:
            raise RequestRefusedError(f"input {item.name!r}: shape {list(item.shape)} where [{rows}] is expected")
    if rows == 0:
        raise RequestRefusedError("the request has no rows: every shape is [0]")
    if rows > signature.most_rows:
        raise TooLargeError(f"{rows} rows in one request; at most {signature.most_rows} are taken")
    return rows


def _columns(given: Mapping[str, _Given], signature: Signature) -> tuple[Columns, list[RowFault]]:
    columns: dict[str, Column] = {}
    bad: list[RowFault] = []
    for tensor in signature.inputs:
        companion = given.get(tensors.null_companion(tensor.name))
        missing = None if companion is None else _array(companion, None, bad)
        values = _array(given[tensor.name], missing, bad)
        if values is not None:
            columns[tensor.name] = Column(values=values, missing=missing)
    return columns, bad


def _array(item: _Given, missing: Mask | None, bad: list[RowFault]) -> Array | None:
    try:
        return item.array(missing).reshape(-1)
    except json_data.BadElementsError as error:
        bad += [RowFault(index=place, message=f"input {item.name!r}: {text}") for place, text in error.elements]
        return None
    except ValueError as error:
        raise RequestRefusedError(f"input {item.name!r}: {error}") from error


def _wanted(document: Mapping[str, Any], signature: Signature) -> tuple[Wanted, ...]:
    listed = document.get("outputs")
    if not listed and "parameters" not in document and listed in (None, []):
        return signature.every_output
    default = _parameters(document, "the request").get("binary_data_output", False) is True
    if listed is None or listed == []:
        return tuple(Wanted(name=tensor.name, binary=default) for tensor in signature.outputs)
    if not isinstance(listed, list) or any(not isinstance(item, dict) for item in listed):
        raise RequestRefusedError("'outputs' must be a list of objects with 'name'")
    names = [tensor.name for tensor in signature.outputs]
    unknown = [str(item.get("name")) for item in listed if item.get("name") not in names]
    if unknown:
        asked = ", ".join(map(repr, unknown))
        raise RequestRefusedError(f"the model has no output {asked} (it has {', '.join(names)})")
    return tuple(
        Wanted(
            name=item["name"],
            binary=_parameters(item, f"output {item['name']!r}").get("binary_data", default) is True,
        )
        for item in listed
    )
