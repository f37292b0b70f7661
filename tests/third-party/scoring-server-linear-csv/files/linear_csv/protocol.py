"""Requests and answers of the Open Inference Protocol V2 as JSON; missing values as the platform has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linear_csv.model import Linear


class BadRequestError(Exception):
    """The request cannot be answered; `rows` are (index, message) when only single rows are bad."""

    def __init__(self, message: str, rows: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(message)
        self.rows = rows


@dataclass(frozen=True)
class Signature:
    name: str
    version: str
    inputs: tuple[str, ...]
    output: str
    nullable: bool
    """Whether the output may have no value."""


def answer(document: Any, *, signature: Signature, model: Linear) -> Mapping[str, Any]:
    """The answer's document; BadRequestError says what is wrong with the request."""
    columns, missing = _columns(document, signature)
    values: list[float] = []
    absent: list[bool] = []
    for index in range(len(columns[signature.inputs[0]])):
        absent.append(any(missing[name][index] for name in signature.inputs))
        values.append(0.0 if absent[-1] else model.score({name: columns[name][index] for name in signature.inputs}))
    bad = [index for index, is_absent in enumerate(absent) if is_absent]
    if bad and not signature.nullable:
        raise BadRequestError(
            f"{len(bad)} rows have no score", [(index, "a value that the model needs is missing") for index in bad]
        )
    outputs = [_tensor(signature.output, "FP64", values)]
    if bad:
        outputs.append(_tensor(f"{signature.output}.null", "BOOL", absent))
    identity = {"id": document["id"]} if isinstance(document.get("id"), str) else {}
    return {"model_name": signature.name, "model_version": signature.version, **identity, "outputs": outputs}


def _tensor(name: str, datatype: str, data: list[Any]) -> Mapping[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def _columns(document: Any, signature: Signature) -> tuple[Mapping[str, list[Any]], Mapping[str, list[Any]]]:
    listed = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise BadRequestError("'inputs' must be a list of tensors")
    given = {item.get("name"): item.get("data") for item in listed}
    wanted = [*signature.inputs, *(f"{name}.null" for name in signature.inputs)]
    wrong = [f"there is no input {name!r}" for name in given if name not in wanted]
    wrong += [f"input {name!r} is missing" for name in signature.inputs if not isinstance(given.get(name), list)]
    if wrong:
        raise BadRequestError("; ".join(wrong))
    rows = len(given[signature.inputs[0]])
    if rows == 0 or any(len(data or ()) != rows for data in given.values()):
        raise BadRequestError("every input must have the same number of rows, and at least one")
    missing = {name: given.get(f"{name}.null") or [False] * rows for name in signature.inputs}
    _check_numbers(given, missing, signature)
    return given, missing


def _check_numbers(given: Mapping[str, list[Any]], missing: Mapping[str, list[Any]], signature: Signature) -> None:
    bad = {
        index: f"input {name!r} is not a number"
        for name in signature.inputs
        for index, value in enumerate(given[name])
        if not missing[name][index] and (isinstance(value, bool) or not isinstance(value, int | float))
    }
    if bad:
        raise BadRequestError(f"{len(bad)} rows are no numbers", sorted(bad.items()))
